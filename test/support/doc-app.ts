/** One `console` line of a document, and what is printed after it. */
export interface DocCommand {
  command: string;
  output: string;
}

/** The code of a document: files by path (``` ```ts path/of/file ```), and the commands of its `console` blocks. */
export function readDocument(markdown: string): { files: Record<string, string>; commands: DocCommand[] } {
  const files: Record<string, string> = {};
  const commands: DocCommand[] = [];
  for (const [, kind, name, body = ''] of markdown.matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm)) {
    if (name !== undefined) files[name] = body;
    if (kind !== 'console') continue;
    for (const part of body.split(/^\$ /m).slice(1)) {
      const end = part.indexOf('\n');
      commands.push({ command: part.slice(0, end), output: part.slice(end + 1).trim() });
    }
  }
  return { files, commands };
}

/** What a curl line of a document sends. */
export interface CurlRequest {
  method: string;
  path: string;
  headers: [string, string][];
  body?: string;
  /** `-i`: the document shows the status and a header in place of the body. */
  head: boolean;
}

/** Reads `curl [-i] [-N] [-X METHOD] [-H header] [-d body] URL`; values hold no spaces. */
export function readCurl(command: string): CurlRequest {
  const [program, ...args] = command.split(' ');
  if (program !== 'curl') throw new Error(`not a curl line: ${command}`);
  const request: CurlRequest = { method: 'GET', path: '/', headers: [], head: false };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '-i') request.head = true;
    else if (arg === '-X') request.method = args[++i] ?? '';
    else if (arg === '-d') {
      request.body = args[++i] ?? '';
      if (request.method === 'GET') request.method = 'POST';
    } else if (/^https?:/.test(arg)) request.path = arg.replace(/^https?:\/\/[^/]+/, '');
    else if (arg !== '-N') throw new Error(`${arg} is not understood: ${command}`);
  }
  return request;
}
