/** A certificate for 127.0.0.1 that no authority of the machine has signed, made by `openssl`. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One, in files that a server reads. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate itself, which a client may trust. */
  readonly pem: string;
  /** Takes the files away. */
  remove(): void;
}

/** Makes one that is good for a day. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  chmodSync(folder, 0o755);
  const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const { status, stderr } = spawnSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1".split(" "),
    // A client that trusts the certificate itself takes it for a server's only if it is no authority's.
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyFile, "-out", certFile],
  ]);
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  return {
    certFile,
    keyFile,
    pem: readFileSync(certFile, "utf8"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
