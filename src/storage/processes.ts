/**
 * Which gateway processes on one database are alive. A process is alive while others can reach what only the kernel or the
 * database server takes away: no heartbeat, so no clock.
 */
export interface Processes {
  /**
   * Returns this process's id after proof that others can reach it; a new id where the old one was lost.
   * Throws where no proof can be had: such a process must send nothing.
   */
  hold(): Promise<string>;
  /** Whether the process with this id lives. True where it can't be told: a wrong "dead" is worse than a wait. */
  isAlive(id: string): Promise<boolean>;
  close(): Promise<void>;
}
