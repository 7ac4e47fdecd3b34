/** The first line of what the CLI sends over ssh, as JSON. Arguments go here and not into the command: nothing has to be
 * quoted, and no process list on either side shows them. */
export interface RemoteRequest {
  args: string[];
  /** Whether the output goes to a terminal that takes colours. */
  color: boolean;
  /** Whether standard input goes on with input for the command; else it stays open as long as somebody waits. */
  input: boolean;
}
