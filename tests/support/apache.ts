/** Apache httpd in front of a server, from a folder that goes with it. */
import { existsSync } from "node:fs";
import { type ServerProgram, startProgram } from "./server_program.ts";

const modules = "/usr/lib/apache2/modules";

/** Where Debian's package `apache2-bin` puts it; undefined: it is not installed, or elsewhere. */
export const apacheProgram: string | undefined = existsSync(`${modules}/mod_deflate.so`)
  ? ["/usr/sbin/apache2", "/usr/sbin/httpd"].find((path) => existsSync(path))
  : undefined;

const loaded = ["mpm_event", "authz_core", "unixd", "proxy", "proxy_http", "filter", "deflate", "brotli"];

/**
 * Starts one on loopback in front of the server at this port; it answers when this resolves.
 *
 * @param directives Further ones, for all that it serves.
 */
export function startApache(server: number, directives = ""): Promise<ServerProgram> {
  const load = loaded.filter((name) => existsSync(`${modules}/mod_${name}.so`))
    .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`);
  const configuration = (folder: string, port: number) =>
    `ServerRoot ${folder}
    ServerName localhost
    ${load.join("\n    ")}
    User www-data
    Group www-data
    PidFile ${folder}/pid
    ErrorLog ${folder}/error.log
    DefaultRuntimeDir ${folder}
    Listen 127.0.0.1:${port}
    ProxyPass / http://127.0.0.1:${server}/
    ${directives}`;
  return startProgram(apacheProgram!, configuration, (_, file) => ["-X", "-f", file]);
}
