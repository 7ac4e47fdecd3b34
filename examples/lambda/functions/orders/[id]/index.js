// CommonJS, as many Lambda functions still are. A returned object without statusCode becomes a JSON body.
exports.handler = async (event, context) => {
  const { id } = event.pathParameters;
  if (!/^\d+$/.test(id)) return { statusCode: 400, body: 'An order has a number.' };
  return { order: Number(id), currency: event.queryStringParameters?.currency ?? 'EUR', request: context.awsRequestId };
};
