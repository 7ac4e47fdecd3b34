const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Binary goes both ways as base64: GET gives an image, POST the size of what was sent. */
export const handler = async (event) => {
  if (event.requestContext.http.method === 'POST') {
    const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
    return { bytes: bytes.length };
  }
  return { statusCode: 200, headers: { 'content-type': 'image/png' }, isBase64Encoded: true, body: png };
};
