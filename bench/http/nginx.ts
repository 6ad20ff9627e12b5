/**
 * nginx with the same pages as files: a mark from outside.
 *
 * @module
 */
import { bodyOf, CACHE_CONTROL, PAGES } from "./pages.ts";
import { ServerProcess } from "./server.ts";

/** Starts it in one process on files of its own; undefined where it is not installed. */
export async function startNginx(folder: string): Promise<ServerProcess | undefined> {
  const path = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/opt/homebrew/bin/nginx"].find(exists);
  if (path === undefined) return undefined;
  await Deno.mkdir(`${folder}/posts`);
  for (let n = 0; n < PAGES; n++) await Deno.writeTextFile(`${folder}/posts/${n}`, bodyOf(`/${n}`));
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 256; }
http {
  access_log off; default_type text/html; keepalive_requests 100000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  open_file_cache max=2000;
  server { listen 127.0.0.1:${port}; root ${folder}; etag on; add_header Cache-Control "${CACHE_CONTROL}"; }
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
