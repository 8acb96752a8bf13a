import type { HttpHandler } from './listener.js';

/**
 * Answers whether something is well: 200 with `{"status":"ok"}`, or 503 with the reasons; 200 with `degraded` and the reasons
 * where it works and yet somebody should look at it. For load balancers and
 * supervisors, so it is open to everybody and says nothing about users.
 *
 * @param problems what is wrong at this moment, a text for each; none = it is well
 * @param degradations what keeps nobody away
 */
export function healthHandler(problems: () => string[], degradations: () => string[] = () => []): HttpHandler {
  return (request, response) => {
    const head = request.method === 'HEAD';
    if (request.method !== 'GET' && !head) {
      response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
      return;
    }
    const wrong = problems();
    const reasons = [...wrong, ...degradations()];
    const status = wrong.length > 0 ? 'unavailable' : reasons.length > 0 ? 'degraded' : 'ok';
    const body = `${JSON.stringify({ status, ...(reasons.length > 0 && { reasons }) })}\n`;
    response.writeHead(wrong.length === 0 ? 200 : 503, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(head ? undefined : body);
  };
}
