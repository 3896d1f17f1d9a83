/** Nothing but our own files: no inline script, no eval, no foreign host, no frame around us. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** For answers that are data: nothing of them may run or load, whatever a browser takes them for. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

const common: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** Security headers of an answer: `page` for the dashboard and the reference page, else `data`. */
export function securityHeaders(
  kind: 'page' | 'data',
  secure: boolean,
): Readonly<Record<string, string>> {
  return {
    ...common,
    'content-security-policy': kind === 'page' ? pagePolicy : dataPolicy,
    ...(kind === 'data' ? { 'cache-control': 'no-store' } : {}),
    ...(secure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}
