/** nginx in front of several servers, from a folder that goes with it. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where Debian's package `nginx-light` and others put it; undefined: it is not installed. */
export const nginxProgram: string | undefined = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
  .find((path) => existsSync(path));

/** A proxy that runs. */
export interface Nginx {
  readonly origin: string;
  close(): Promise<void>;
}

const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/** Each request goes to the next server, whose address is told in `X-Upstream`; one that is away is passed over. */
function configuration(folder: string, port: number, servers: readonly number[], gzip: boolean): string {
  return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 256; }
    http {
      access_log off;
      ${gzip ? "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *; gzip_vary on;" : ""}
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      upstream site {
        ${servers.map((server) => `server 127.0.0.1:${server} max_fails=0;`).join(" ")}
      }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://site;
          proxy_http_version 1.1;
          proxy_set_header Host $host;
          proxy_next_upstream error timeout;
          add_header X-Upstream $upstream_addr always;
        }
      }
    }`;
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((closed) => server.close(() => closed()));
  return port;
}

/**
 * Starts one on loopback in front of the servers at these ports; it answers when this resolves.
 *
 * @param options Whether it compresses what the servers answer; default: not.
 */
export async function startNginx(
  servers: readonly number[],
  { gzip = false }: { readonly gzip?: boolean } = {},
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "nginx-"));
  // Started as root it reads it as somebody else.
  chmodSync(folder, 0o755);
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), configuration(folder, port, servers, gzip));
  const args = ["-c", join(folder, "nginx.conf"), "-p", folder, "-e", join(folder, "error.log")];
  const child = spawn(nginxProgram!, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  let ended = false;
  child.stderr?.on("data", (chunk) => complaint += chunk);
  const end = new Promise<void>((resolve) => child.once("exit", () => resolve())).then(() =>
    void (ended = true)
  );
  const origin = `http://127.0.0.1:${port}`;
  const close = async () => {
    child.kill();
    await end;
    rmSync(folder, { recursive: true, force: true });
  };
  for (const limit = performance.now() + 10_000;;) {
    try {
      await (await fetch(origin)).body?.cancel();
      return { origin, close };
    } catch (cause) {
      if (ended || performance.now() > limit) {
        await close();
        throw new Error(`nginx does not answer: ${complaint}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
