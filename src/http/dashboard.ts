import type { HttpHandler } from './listener.js';
import { builtPage, DASHBOARD_URL } from './page.js';
import { Site } from './site.js';

/** What the page and the dashboard have in common: one theme, and helpers. */
const SHARED_URL = '/shared/';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the operators' dashboard at `/dashboard/`, and leads there from `/`. The files are no secret; what they show
 * comes from the Admin API of the same port, which wants the secret with every request. Where it isn't built, all is 404: the API
 * does without.
 *
 * @param folder of the built page; absent = `web` beside `src` below the output root
 */
export function dashboardHandler(folder: string = builtPage()): HttpHandler {
  const site = new Site({ 'Content-Security-Policy': POLICY, 'Permissions-Policy': 'camera=(), microphone=()' });
  site.addFolder(folder, '/', (url) => url.startsWith(DASHBOARD_URL) || url.startsWith(SHARED_URL));
  site.alias(DASHBOARD_URL, `${DASHBOARD_URL}index.html`);
  return (request, response) => {
    const path = (request.url ?? '').replace(/[?#].*$/s, '');
    if (path !== '/' && path !== DASHBOARD_URL.slice(0, -1)) return site.handler(request, response);
    // Relative, so that it holds below the path of a proxy too.
    response.writeHead(302, { Location: `.${DASHBOARD_URL}`, 'Content-Length': 0 }).end();
  };
}
