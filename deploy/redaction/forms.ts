import { envLimits } from '../../runtime/contract/limits.ts';

/** A text to look for. */
export interface Form {
  text: string;
  /** It is a piece of base64 whose neighbours, on that side, hold some bits of the secret too. */
  openStart: boolean;
  openEnd: boolean;
}

/** The texts by which a value may appear in a log; none for a value too short to be told from ordinary text. */
export function formsOf(value: string): Form[] {
  const texts = new Set<string>();
  const pieces: Form[] = [];
  for (const secret of secretsIn(value)) {
    for (const text of writtenForms(secret)) texts.add(text);
    pieces.push(...base64Forms(secret));
  }
  const whole = [...texts].map((text) => ({ text, openStart: false, openEnd: false }));
  return [...whole, ...pieces.filter(({ text }) => !texts.has(text))];
}

/** The value, its longer lines (a printed object shows one by one), and the password of a URL. */
function secretsIn(value: string): string[] {
  const { redactedCharsMin, redactedLineChars } = envLimits;
  const whole = value.trim();
  const lines = whole.includes('\n') ? whole.split('\n').map((line) => line.trim()) : [];
  const password = URL.parse(whole)?.password ?? '';
  return [
    ...[whole, password, decoded(password)].filter(({ length }) => length >= redactedCharsMin),
    ...lines.filter(({ length }) => length >= redactedLineChars),
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function writtenForms(secret: string): string[] {
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const encoded = [encodeURIComponent(secret), encodeURI(secret), form];
  const lower = encoded.map((text) => text.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()));
  return [secret, JSON.stringify(secret).slice(1, -1), ...encoded, ...lower];
}

/**
 * Base64 of the secret wherever it stands in what was encoded: three bytes make four digits, so there are three ways.
 * What of the first and last digit depends on the neighbours is left out.
 */
function base64Forms(secret: string): Form[] {
  const bytes = Buffer.byteLength(secret);
  return [0, 1, 2].flatMap((offset) => {
    const start = Math.ceil((offset * 8) / 6);
    const end = Math.floor(((offset + bytes) * 8) / 6);
    const digits = Buffer.from('\0'.repeat(offset) + secret).toString('base64');
    const text = digits.slice(start, end);
    const open = { openStart: offset > 0, openEnd: ((offset + bytes) * 8) % 6 !== 0 };
    const url = text.replaceAll('+', '-').replaceAll('/', '_');
    return [text, url].map((text) => ({ text, ...open }));
  });
}
