import { number, object } from './config-check.ts';
import { nginxLimits } from './limits.ts';

/** `rateLimit` of fnrun.json: what nginx lets one client address ask of the app; docs/nginx.md. */
export interface RateLimitInput {
  /** @default 50 */
  requestsPerSecond?: number;
  /** How many more at once, before requests are refused. @default four times as many */
  burst?: number;
  /** Requests at once. @default 200 */
  connections?: number;
}

/** With all of its values. */
export type RateLimit = Required<RateLimitInput>;

/** Fills in what `input` leaves out. */
export function rateLimitOf(input: RateLimitInput): RateLimit {
  const { requestsPerSecond = nginxLimits.requestsPerSecond, connections = nginxLimits.connections } = input;
  const { burst = Math.min(requestsPerSecond * nginxLimits.burstFactor, nginxLimits.rateMax) } = input;
  return { requestsPerSecond, burst, connections };
}

export const checkRateLimit = object({
  requestsPerSecond: number({ min: 1, max: nginxLimits.rateMax, unit: 'requests' }),
  burst: number({ min: 0, max: nginxLimits.rateMax, unit: 'requests' }),
  connections: number({ min: 1, max: nginxLimits.rateMax, unit: 'requests' }),
});
