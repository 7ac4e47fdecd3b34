import type { HttpCase } from './case.ts';
import { bodyCases } from './corpus/bodies.ts';
import { framingCases } from './corpus/framing.ts';
import { headerCases } from './corpus/headers.ts';
import { methodCases } from './corpus/methods.ts';
import { responseCases } from './corpus/responses.ts';
import { smugglingCases } from './corpus/smuggling.ts';
import { hostCases, pathCases } from './corpus/targets.ts';

/** The raw HTTP corpus: every case holds on the app's socket, behind the gateway and behind nginx. */
export const corpus: readonly HttpCase[] = [
  ...smugglingCases,
  ...framingCases,
  ...hostCases,
  ...pathCases,
  ...headerCases,
  ...methodCases,
  ...bodyCases,
  ...responseCases,
];
