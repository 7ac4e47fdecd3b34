import type { Case } from './case.ts';
import { failureCases } from './cases/failures.ts';
import { fetchApiCases } from './cases/fetch-api.ts';
import { lambdaCases } from './cases/lambda.ts';
import { platformCases } from './cases/platform.ts';
import { requestCases } from './cases/requests.ts';
import { responseCases } from './cases/responses.ts';
import { routingCases } from './cases/routing.ts';
import { shapeCases } from './cases/shapes.ts';
import { staticCases } from './cases/static-files.ts';
import { streamingCases } from './cases/streaming.ts';

/** Every case of the suite; each holds whichever way the app is reached. */
export const cases: readonly Case[] = [
  ...requestCases,
  ...responseCases,
  ...fetchApiCases,
  ...failureCases,
  ...platformCases,
  ...streamingCases,
  ...routingCases,
  ...shapeCases,
  ...staticCases,
  ...lambdaCases,
];
