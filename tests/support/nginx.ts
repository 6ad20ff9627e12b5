/** nginx in front of several servers, from a folder that goes with it. */
import { existsSync } from "node:fs";
import { type ServerProgram, startProgram } from "./server_program.ts";

/** Where Debian's package `nginx-light` and others put it; undefined: it is not installed. */
export const nginxProgram: string | undefined = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
  .find((path) => existsSync(path));

const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/**
 * Starts one on loopback in front of the servers at these ports; it answers when this resolves. Each request goes to
 * the next server, whose address is told in `X-Upstream`; one that is away is passed over.
 *
 * @param directives Further ones for its only location.
 * @param around Further ones around all servers, for its folder.
 */
export function startNginx(
  servers: readonly number[],
  directives = "",
  around: (folder: string) => string = () => "",
): Promise<ServerProgram> {
  const configuration = (folder: string, port: number) =>
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 256; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      ${around(folder)}
      upstream site {
        ${servers.map((server) => `server 127.0.0.1:${server} max_fails=0;`).join(" ")}
      }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://site;
          ${directives.includes("proxy_http_version") ? "" : "proxy_http_version 1.1;"}
          proxy_set_header Host $host;
          proxy_next_upstream error timeout;
          add_header X-Upstream $upstream_addr always;
          ${directives}
        }
      }
    }`;
  return startProgram(
    nginxProgram!,
    configuration,
    (folder, file) => ["-c", file, "-p", folder, "-e", `${folder}/error.log`],
  );
}
