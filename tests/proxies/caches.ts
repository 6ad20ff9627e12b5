/** The caches of `examples/proxies`, as programs that are run with these files in front of a site on loopback. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { nginxProgram } from "../support/nginx.ts";
import { type ServerProgram, startProgram } from "../support/server_program.ts";

/** Whether a cache may use its copy for a while without asking. */
export type Mode = "checked" | "kept";

/** What the site sends. Of one second, caches that count in whole ones leave nothing. */
export const cacheControls: Readonly<Record<Mode, string>> = {
  checked: "public, no-cache",
  kept: "public, max-age=0, s-maxage=2",
};

/** One of them, with one of its ways. */
export interface Cache {
  readonly name: string;
  /** The file in `examples/proxies`. */
  readonly file: string;
  /** The headers that it is meant for. */
  readonly modes: readonly Mode[];
  /** Of these, the ones where it asks with the tag of its own copy. */
  readonly revalidates: readonly Mode[];
  /** The Debian packages. */
  readonly packages: readonly string[];
  readonly installed: boolean;
  /** The command that tells its version. */
  readonly version: readonly string[];
  /** Starts it in front of the site at this port; it answers when this resolves. */
  start(site: number): Promise<ServerProgram>;
}

const APACHE_MODULES = "/usr/lib/apache2/modules";
const VMODS = "/usr/lib/x86_64-linux-gnu/varnish/vmods";

const first = (...paths: string[]) => paths.find((path) => existsSync(path));
const varnishProgram = first("/usr/sbin/varnishd");
const haproxyProgram = first("/usr/sbin/haproxy");
const squidProgram = first("/usr/sbin/squid");
const apacheProgram = existsSync(`${APACHE_MODULES}/mod_cache_disk.so`)
  ? first("/usr/sbin/apache2", "/usr/sbin/httpd")
  : undefined;

/**
 * A file of `examples/proxies` with other ports and folders.
 *
 * @throws {Error} If it has not what is to be replaced.
 */
function adapted(file: string, replacements: Readonly<Record<string, string>>): string {
  let text = readFileSync(new URL(`../../examples/proxies/${file}`, import.meta.url), "utf8");
  for (const [old, other] of Object.entries(replacements)) {
    if (!text.includes(old)) throw new Error(`${file} does not say ${old}`);
    text = text.replaceAll(old, other);
  }
  return text;
}

/** A folder that any user may write to: several of the programs go on as another one. */
function openFolder(path: string): string {
  mkdirSync(path);
  chmodSync(path, 0o777);
  return path;
}

const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

const NGINX: Cache = {
  name: "nginx",
  file: "nginx.conf",
  modes: ["checked", "kept"],
  revalidates: ["kept"],
  packages: ["nginx-light"],
  installed: nginxProgram !== undefined,
  version: [nginxProgram!, "-v"],
  start: (site) =>
    startProgram(
      nginxProgram!,
      (folder, port) => {
        const included = adapted("nginx.conf", {
          "127.0.0.1:8000": `127.0.0.1:${site}`,
          "127.0.0.1:8080": `127.0.0.1:${port}`,
          "/var/cache/nginx/site": `${folder}/cache`,
        });
        writeFileSync(`${folder}/site.conf`, included);
        return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
          events { worker_connections 256; }
          http {
            access_log off;
            ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
            include ${folder}/site.conf;
          }`;
      },
      (folder, file) => ["-c", file, "-p", folder, "-e", `${folder}/error.log`],
    ),
};

const VARNISH: Cache = {
  name: "Varnish",
  file: "varnish.vcl",
  modes: ["checked", "kept"],
  revalidates: ["checked", "kept"],
  packages: ["varnish", "varnish-modules"],
  installed: varnishProgram !== undefined && existsSync(`${VMODS}/libvmod_xkey.so`),
  version: [varnishProgram!, "-V"],
  start: (site) =>
    startProgram(
      varnishProgram!,
      () => adapted("varnish.vcl", { '"8000"': `"${site}"` }),
      (folder, file, port) => [
        ...["-F", "-n", openFolder(`${folder}/varnish`), "-f", file, "-s", "default,64m"],
        ...["-a", `127.0.0.1:${port}`, "-p", "thread_pools=1", "-p", "thread_pool_min=10"],
      ],
    ),
};

const APACHE: Cache = {
  name: "Apache httpd",
  file: "apache.conf",
  modes: ["checked", "kept"],
  revalidates: ["checked", "kept"],
  packages: ["apache2-bin"],
  installed: apacheProgram !== undefined,
  version: [apacheProgram!, "-v"],
  start: (site) =>
    startProgram(
      apacheProgram!,
      (folder, port) => {
        const modules = [
          ...["mpm_event", "authz_core", "unixd", "proxy", "proxy_http"],
          ...["cache", "cache_disk", "filter", "deflate", "headers"],
        ].filter((name) => existsSync(`${APACHE_MODULES}/mod_${name}.so`));
        const site_ = adapted("apache.conf", {
          "127.0.0.1:8000": `127.0.0.1:${site}`,
          "127.0.0.1:8080": `127.0.0.1:${port}`,
          "/var/cache/apache2/mod_cache_disk": openFolder(`${folder}/cache`),
        });
        return `ServerRoot ${folder}
          ServerName localhost
          ${modules.map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`).join("\n")}
          User www-data
          Group www-data
          PidFile ${folder}/pid
          ErrorLog ${folder}/error.log
          DefaultRuntimeDir ${folder}
          Listen 127.0.0.1:${port}
          ${site_}`;
      },
      (_, file) => ["-X", "-f", file],
    ),
};

const haproxy = (name: string, at: "8080" | "8081"): Cache => ({
  name,
  file: "haproxy.cfg",
  modes: at === "8080" ? ["checked", "kept"] : ["checked"],
  revalidates: [],
  packages: ["haproxy"],
  installed: haproxyProgram !== undefined,
  version: [haproxyProgram!, "-v"],
  start: (site) =>
    startProgram(
      haproxyProgram!,
      (folder, port) =>
        adapted("haproxy.cfg", {
          "127.0.0.1:8000": `127.0.0.1:${site}`,
          [`127.0.0.1:${at}`]: `127.0.0.1:${port}`,
          // The frontend that is not meant.
          [`127.0.0.1:${at === "8080" ? "8081" : "8080"}`]: `unix@${folder}/other`,
        }),
      (_, file) => ["-db", "-f", file],
    ),
});

const SQUID: Cache = {
  name: "Squid",
  file: "squid.conf",
  modes: ["checked", "kept"],
  revalidates: ["kept"],
  packages: ["squid"],
  installed: squidProgram !== undefined,
  version: [squidProgram!, "-v"],
  start: (site) =>
    startProgram(
      squidProgram!,
      (folder, port) => {
        const given = adapted("squid.conf", {
          "parent 8000": `parent ${site}`,
          "127.0.0.1:8080": `127.0.0.1:${port}`,
        });
        const own = openFolder(`${folder}/own`);
        return `${given}
pid_filename ${own}/pid
cache_log ${own}/cache.log
access_log none
cache_store_log none
coredump_dir ${own}
pinger_enable off
shutdown_lifetime 0 seconds
`;
      },
      (_, file) => ["-N", "-f", file],
    ),
};

/** All there are. */
export const caches: Readonly<Record<string, Cache>> = {
  nginx: NGINX,
  varnish: VARNISH,
  apache: APACHE,
  haproxy: haproxy("HAProxy, its cache", "8080"),
  haproxyPlain: haproxy("HAProxy, no cache", "8081"),
  squid: SQUID,
};
