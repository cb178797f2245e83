interface AlgorithmParameter {
  readonly guiRank: number;
  readonly defaultValue: string | number | boolean;
  readonly name: string;
  readonly id: string;
  readonly legalStrings?: readonly string[];
  readonly required: "true" | "false";
  readonly valueClassName: "String" | "Double" | "Boolean" | "Time";
}

/** An order algorithm, as `/iserver/contract/{conid}/algos` describes it. */
export interface Algorithm {
  readonly name: string;
  readonly id: string;
  readonly description: string;
  readonly parameters: readonly AlgorithmParameter[];
}

const startTime: AlgorithmParameter = {
  guiRank: 2,
  defaultValue: "",
  name: "Start time",
  id: "startTime",
  required: "false",
  valueClassName: "Time",
};
const endTime: AlgorithmParameter = { ...startTime, guiRank: 3, name: "End time", id: "endTime" };

/** The algorithms that the simulated market describes for shares. */
export const ALGORITHMS: readonly Algorithm[] = [
  {
    name: "Adaptive",
    id: "Adaptive",
    description: "Adaptive algo orders aim for a fast fill at the best all-in price.",
    parameters: [
      {
        guiRank: 1,
        defaultValue: "Normal",
        name: "Adaptive order priority/urgency",
        id: "adaptivePriority",
        legalStrings: ["Urgent", "Normal", "Patient"],
        required: "true",
        valueClassName: "String",
      },
    ],
  },
  {
    name: "TWAP",
    id: "Twap",
    description: "Spreads an order evenly over a stretch of time.",
    parameters: [startTime, endTime],
  },
  {
    name: "VWAP",
    id: "Vwap",
    description: "Follows the volume-weighted average price of a stretch of time.",
    parameters: [
      { guiRank: 1, defaultValue: 0.1, name: "Max percentage", id: "maxPctVol", required: "false", valueClassName: "Double" },
      startTime,
      endTime,
    ],
  },
];
