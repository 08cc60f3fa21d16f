// The built pages as the program serves them, and a way to its API: to see them before they are embedded.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import { extname, join, resolve } from "node:path";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** Answers with a file of `dist`; a path that is none is a page. */
export function file(dist, path, response) {
  const root = resolve(dist);
  const asked = join(root, path);
  const found = asked.startsWith(root) && existsSync(asked) && statSync(asked).isFile() ? asked : join(root, "index.html");
  response.writeHead(200, {
    "content-type": TYPES[extname(found)] ?? "application/octet-stream",
    "content-security-policy": POLICY, "x-content-type-options": "nosniff",
  });
  createReadStream(found).pipe(response);
}

/** Hands a request on to a service, its `Host` too: the service compares it with `Origin`. */
function forward(service, request, response) {
  const onward = ask(new URL(request.url, service), { method: request.method, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers).flushHeaders();
    answer.pipe(response);
  });
  onward.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

/** The pages of `dist` before the API of `service`. */
export function pagesBefore(service, dist) {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", service);
    if (pathname.startsWith("/api/")) forward(service, request, response);
    else file(dist, decodeURIComponent(pathname), response);
  });
}
