import type { PageAbout } from "../pages/layout.tsx";
import { homeTexts as texts } from "../pages/texts/home.ts";
import type { HelpFacts } from "./help-facts.ts";

/** What the home page tells search engines, by schema.org. */
export function homeAbout({ publicUrl, version }: Pick<HelpFacts, "publicUrl" | "version">): PageAbout {
  const context = "https://schema.org";
  return {
    title: texts.documentTitle,
    description: texts.description,
    url: `${publicUrl}/`,
    structuredData: [
      { "@context": context, "@type": "WebSite", name: "IBKR Gateway", url: `${publicUrl}/` },
      {
        "@context": context,
        "@type": "SoftwareApplication",
        name: "IBKR Gateway",
        description: texts.description,
        applicationCategory: "FinanceApplication",
        operatingSystem: "Linux, macOS, Windows",
        softwareVersion: version,
        license: "https://opensource.org/license/mit",
        offers: { "@type": "Offer", price: "0", priceCurrency: "USD" },
      },
      {
        "@context": context,
        "@type": "FAQPage",
        mainEntity: texts.faq.items.map(({ question, answer }) => ({
          "@type": "Question",
          name: question,
          acceptedAnswer: { "@type": "Answer", text: answer },
        })),
      },
    ],
  };
}
