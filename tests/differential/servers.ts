/**
 * The servers that are compared with: each serves one file on loopback, from a folder that goes with it.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "./client.ts";

/** When the file was last modified, in seconds: Sun, 06 Nov 1994 08:49:37 GMT. */
export const MODIFIED = 784111777;

/** What is served, and under which name its path says so. */
export const CONTENT = "A page of some length, so that there is a range to ask for.\n";

/** A server that runs. */
export interface Server {
  readonly name: ServerName;
  readonly port: number;
  close(): Promise<void>;
}

/** The servers by name. */
export type ServerName = "nginx" | "Apache httpd" | "Go net/http";
type Names = ServerName;

interface Recipe {
  /** The Debian package. */
  readonly package: string;
  readonly programs: readonly string[];
  /** Writes what the program reads, and returns its arguments. */
  prepare(folder: string, port: number): readonly string[];
}

const NGINX: Recipe = {
  package: "nginx-light",
  programs: ["/usr/sbin/nginx", "/usr/bin/nginx"],
  prepare(folder, port) {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
       events { worker_connections 64; }
       http {
         access_log off; keepalive_requests 1000000; large_client_header_buffers 4 32k;
         ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n         ")}
         server { listen 127.0.0.1:${port}; root ${folder}/files; }
       }`,
    );
    return ["-c", join(folder, "nginx.conf"), "-p", folder];
  },
};

const APACHE: Recipe = {
  package: "apache2",
  programs: ["/usr/sbin/apache2", "/usr/sbin/httpd"],
  prepare(folder, port) {
    const modules = "/usr/lib/apache2/modules";
    const load = ["mpm_event", "authz_core", "unixd"].filter((name) =>
      existsSync(`${modules}/mod_${name}.so`)
    );
    writeFileSync(
      join(folder, "apache.conf"),
      `ServerRoot ${folder}
       ServerName localhost
       ${load.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join("\n       ")}
       User www-data
       Group www-data
       PidFile ${folder}/pid
       ErrorLog ${folder}/error.log
       DefaultRuntimeDir ${folder}
       Listen 127.0.0.1:${port}
       KeepAlive On
       MaxKeepAliveRequests 0
       KeepAliveTimeout 60
       FileETag MTime Size
       DocumentRoot ${folder}/files
       <Directory ${folder}/files>
         Require all granted
       </Directory>`,
    );
    return ["-X", "-f", join(folder, "apache.conf")];
  },
};

const GO: Recipe = {
  package: "golang-go",
  programs: ["/usr/bin/go", "/usr/local/go/bin/go"],
  prepare(folder, port) {
    writeFileSync(
      join(folder, "main.go"),
      `package main

import "net/http"

func main() {
	http.HandleFunc("/page.txt", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", "\\"go,1\\"")
		http.ServeFile(w, r, "files/page.txt")
	})
	panic(http.ListenAndServe("127.0.0.1:${port}", nil))
}
`,
    );
    // The binary itself is started, not `go run`, whose child would be left behind.
    const built = spawnSync(programOf(this)!, ["build", "-o", "served", "main.go"], {
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", HOME: folder, GOCACHE: join(folder, "cache"), GO111MODULE: "off" },
    });
    if (built.status !== 0) throw new Error(`go build failed: ${built.stderr}`);
    return [];
  },
};

const RECIPES: Readonly<Record<Names, Recipe>> = {
  "nginx": NGINX,
  "Apache httpd": APACHE,
  "Go net/http": GO,
};

function programOf(recipe: Recipe): string | undefined {
  return recipe.programs.find((path) => existsSync(path));
}

/** The Debian packages that are missing. */
export function missingPackages(): readonly string[] {
  return Object.values(RECIPES).filter((recipe) => programOf(recipe) === undefined).map((recipe) =>
    recipe.package
  );
}

/** All names. */
export const SERVER_NAMES: readonly ServerName[] = Object.keys(RECIPES) as ServerName[];

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts one; it has answered once when this resolves. */
export async function startServer(name: ServerName): Promise<Server> {
  const recipe = RECIPES[name];
  const folder = mkdtempSync(join(tmpdir(), "differential-"));
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files", "page.txt"), CONTENT);
  utimesSync(join(folder, "files", "page.txt"), MODIFIED, MODIFIED);
  // A server that was started as root reads it as somebody else.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const args = recipe.prepare(folder, port);
  const program = recipe === GO ? join(folder, "served") : programOf(recipe)!;
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const close = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(child, port);
  } catch (error) {
    await close();
    throw error;
  }
  return { name, port, close };
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  let complaint = "";
  child.stderr?.on("data", (chunk) => complaint += chunk);
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${complaint}`);
    const connection = new Connection(port);
    try {
      await connection.ask("GET", []);
      return;
    } catch {
      // Not yet.
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      connection.close();
    }
  }
  throw new Error(`it does not answer on port ${port}: ${complaint}`);
}
