/**
 * nginx: with the same pages as files, a mark from outside; and in front of a server, to compress what that sends.
 *
 * @module
 */
import { bodyOf, CACHE_CONTROL, PAGES } from "./pages.ts";
import { ServerProcess } from "./server.ts";

/** Starts it in one process on files of its own; undefined where it is not installed. */
export async function startNginx(folder: string): Promise<ServerProcess | undefined> {
  await Deno.mkdir(`${folder}/posts`);
  for (let n = 0; n < PAGES; n++) await Deno.writeTextFile(`${folder}/posts/${n}`, bodyOf(`/${n}`));
  return await start(
    folder,
    (port) =>
      `default_type text/html; open_file_cache max=2000;
  server { listen 127.0.0.1:${port}; root ${folder}; etag on; add_header Cache-Control "${CACHE_CONTROL}"; }`,
  );
}

/** Starts it in one process in front of a server; undefined where it is not installed. */
export async function startCompressing(
  folder: string,
  server: ServerProcess,
): Promise<ServerProcess | undefined> {
  return await start(
    folder,
    (port) =>
      `gzip on; gzip_proxied any;
  upstream site { server ${new URL(server.url).host}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://site; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`,
  );
}

async function start(
  folder: string,
  configuration: (port: number) => string,
): Promise<ServerProcess | undefined> {
  const path = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"].find(exists);
  if (path === undefined) return undefined;
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 256; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${configuration(port)}
}
`,
  );
  return await ServerProcess.command(`http://127.0.0.1:${port}`, path, ["-c", `${folder}/nginx.conf`]);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
