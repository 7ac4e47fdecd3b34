import type { FunctionSettings } from '../contract/settings.ts';
import { readWholeBody } from './body-source.ts';
import { eventV1, eventV2 } from './lambda-event.ts';
import type { LambdaPlace } from './lambda-event.ts';
import { lambdaResponse } from './lambda-result.ts';
import type { Invocation } from './invocation.ts';
import type { WorkerIdentity } from './context.ts';

type LambdaHandler = (event: unknown, context: unknown, callback: unknown) => unknown;

/** What a Lambda-style call needs beside the invocation. */
export interface LambdaOptions {
  handler: LambdaHandler;
  settings: FunctionSettings;
  identity: WorkerIdentity;
  place: LambdaPlace;
}

/** Calls a Lambda handler with API Gateway's event and reads its result back into a response. */
export async function invokeLambda(invocation: Invocation, options: LambdaOptions): Promise<Response> {
  const { settings, place } = options;
  const body = await readWholeBody(invocation.body);
  const event = settings.payload === '1.0' ? eventV1(invocation, body, place) : eventV2(invocation, body, place);
  return lambdaResponse(await callHandler(event, invocation, options), settings.payload);
}

function callHandler(
  event: unknown,
  invocation: Invocation,
  { handler, settings, identity }: LambdaOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback = (error?: unknown, result?: unknown): void => {
      if (error === undefined || error === null) resolve(result);
      else reject(asError(error));
    };
    let legacy = false;
    const context = lambdaContext(invocation, {
      settings,
      identity,
      done: callback,
      onLegacy: () => {
        legacy = true;
      },
    });
    const returned = handler(event, context, callback);
    if (isThenable(returned)) {
      returned.then(resolve, reject);
    } else if (returned !== undefined || (handler.length < 3 && !legacy)) {
      // Neither a promise nor a callback to wait for: Lambda ends such a call with what it has.
      resolve(returned);
    }
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(typeof value === 'string' ? value : JSON.stringify(value));
}

function lambdaContext(
  invocation: Invocation,
  options: {
    settings: FunctionSettings;
    identity: WorkerIdentity;
    done: (error?: unknown, result?: unknown) => void;
    onLegacy: () => void;
  },
): Record<string, unknown> {
  const { settings, identity, done, onLegacy } = options;
  // The callbacks of Node 0.10's Lambda; reading one tells that the handler answers through it.
  const legacy = <T>(value: T): { enumerable: boolean; get: () => T } => ({
    enumerable: true,
    get: () => {
      onLegacy();
      return value;
    },
  });
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: identity.function,
    functionVersion: identity.release,
    invokedFunctionArn: `arn:fnrun:function:${identity.app}:${identity.function}`,
    memoryLimitInMB: String(settings.memoryMb),
    awsRequestId: invocation.requestId,
    logGroupName: `/fnrun/${identity.app}`,
    logStreamName: identity.function,
    getRemainingTimeInMillis: (): number => Math.max(0, Math.round(invocation.deadlineAt - performance.now())),
  };
  return Object.defineProperties(context, {
    done: legacy((error?: unknown, result?: unknown) => done(error, result)),
    succeed: legacy((result?: unknown) => done(null, result)),
    fail: legacy((error?: unknown) => done(error ?? new Error('context.fail was called'))),
  });
}
