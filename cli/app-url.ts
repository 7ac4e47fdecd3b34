/** Where people reach an app: behind nginx by the server's domain, else by the gateway; null: at neither. */
export function appUrl(
  app: string,
  { urls, domain }: { urls: readonly string[]; domain: string | undefined },
): string | null {
  if (domain !== undefined) return `https://${app}.${domain}/`;
  const [first] = urls;
  if (first === undefined) return null;
  const url = new URL(first);
  // RFC 6761: every name under localhost is the loopback interface.
  const local = ['127.0.0.1', '[::1]', 'localhost', '0.0.0.0', '[::]'].includes(url.hostname);
  if (local) url.hostname = `${app}.localhost`;
  return url.href;
}
