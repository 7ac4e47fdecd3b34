import { parse } from '@humanwhocodes/momoa';
import type { DocumentNode, MemberNode, ValueNode } from '@humanwhocodes/momoa';
import type { ProblemPlace } from '../problem.ts';

/** A JSON text with the places of its keys and values. */
export interface JsonFile {
  value: unknown;
  /** Where the value (or, with `key`, its key) at `path` stands; the nearest enclosing one when it is absent. */
  locate: (path: readonly (string | number)[], options?: { key?: boolean }) => ProblemPlace;
  /** Keys that stand twice in one object. */
  duplicates: { key: string; place: ProblemPlace }[];
}

/** What a text that is no JSON is: where, and why. */
export interface JsonError {
  message: string;
  place: ProblemPlace;
}

/** Parses `text`; `comments` also allows comments and trailing commas, as tsconfig.json has them. */
export function parseJsonFile(text: string, options: { file: string; comments?: boolean }): JsonFile | JsonError {
  // A byte order mark is no JSON, but editors on Windows write it.
  const source = text.replace(/^\uFEFF/, ' ');
  const lines = source.split(/\r\n|\n|\r/);
  const at = (line: number, column: number, length: number): ProblemPlace => ({
    file: options.file,
    line,
    column,
    lineText: lines[line - 1] ?? '',
    length: Math.max(1, length),
  });
  let document: DocumentNode;
  try {
    const comments = options.comments === true;
    document = parse(source, { mode: comments ? 'jsonc' : 'json', allowTrailingCommas: comments });
  } catch (error) {
    const { message, line, column } = error as Error & { line?: number; column?: number };
    return { message: plain(message), place: at(line ?? 1, column ?? 1, 1) };
  }
  const place = (node: ValueNode | MemberNode['name']): ProblemPlace => {
    const { start, end } = node.loc;
    return at(start.line, start.column, start.line === end.line ? end.column - start.column : 1);
  };
  const duplicates: JsonFile['duplicates'] = [];
  const value = evaluate(document.body, (member) => duplicates.push({ key: keyOf(member), place: place(member.name) }));
  return {
    value,
    duplicates,
    locate(path, { key = false } = {}) {
      let node: ValueNode = document.body;
      for (const [index, step] of path.entries()) {
        if (node.type === 'Array' && typeof step === 'number' && node.elements[step] !== undefined) {
          node = node.elements[step].value;
        } else if (node.type === 'Object') {
          const member = node.members.findLast((each) => keyOf(each) === step);
          if (member === undefined) break;
          if (key && index === path.length - 1) return place(member.name);
          node = member.value;
        } else break;
      }
      return place(node);
    },
  };
}

const tokens: Record<string, string> = {
  LBrace: '{',
  RBrace: '}',
  LBracket: '[',
  RBracket: ']',
  Colon: ':',
  Comma: ',',
  String: 'a string',
  Number: 'a number',
  Boolean: 'true or false',
  Null: 'null',
  EOF: 'the end',
};

// The parser speaks of its tokens by name: "Unexpected token RBrace found."
function plain(message: string): string {
  const text = message
    .replace(/\s*\(\d+:\d+\)\.?$/, '')
    .replace(/ found\.?$/, '')
    .replace(/\.$/, '');
  return text.replace(
    /\b(?:LBrace|RBrace|LBracket|RBracket|Colon|Comma|String|Number|Boolean|Null|EOF)\b/g,
    (name) => tokens[name]!,
  );
}

/** Whether `parseJsonFile` failed. */
export function isJsonError(parsed: JsonFile | JsonError): parsed is JsonError {
  return 'message' in parsed;
}

function keyOf(member: MemberNode): string {
  return member.name.type === 'Identifier' ? member.name.name : member.name.value;
}

function evaluate(node: ValueNode, onDuplicate: (member: MemberNode) => void): unknown {
  switch (node.type) {
    case 'Object': {
      const seen = new Map<string, unknown>();
      for (const member of node.members) {
        if (seen.has(keyOf(member))) onDuplicate(member);
        seen.set(keyOf(member), evaluate(member.value, onDuplicate));
      }
      return Object.fromEntries(seen);
    }
    case 'Array':
      return node.elements.map((element) => evaluate(element.value, onDuplicate));
    case 'String':
    case 'Number':
    case 'Boolean':
      return node.value;
    case 'Null':
    case 'NaN':
    case 'Infinity':
      return null;
  }
}
