/** Counts a browser's visits in a cookie: cookies come as an array and leave as one. */
export const handler = async (event) => {
  const cookie = event.cookies?.find((entry) => entry.startsWith('visits='));
  const visits = Number(cookie?.slice('visits='.length) ?? 0) + 1;
  return {
    statusCode: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    cookies: [`visits=${visits}; Path=/visits; HttpOnly`, 'seen=yes; Path=/visits'],
    body: `Visit ${visits}\n`,
  };
};
