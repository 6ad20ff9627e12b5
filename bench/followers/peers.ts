/** The other followers, each set up as its own documentation says, with its shortest reasonable times. */
import cloudant from "@ibm-cloud/cloudant";
import follow from "follow";
import Nano from "nano";
import PouchDB from "pouchdb-core";
import HttpAdapter from "pouchdb-adapter-http";
import type { Follower } from "../../tests/faults/fault_run.ts";

/** Milliseconds between heartbeats, where a follower can be told. */
const HEARTBEAT = 1_000;

/** A row as each of them hands it out. */
interface Row {
  readonly id: string;
}

const nano: Follower = {
  name: "nano",
  follow: (url, since, seen, ended) => {
    const reader = Nano(url.replace(/\/db$/, "")).db.use("db").changesReader;
    reader.start({ since: String(since), timeout: 5_000 })
      .on("change", (row: Row) => seen(row.id))
      .on("error", ended)
      .on("end", () => ended("end"));
    return () => reader.stop();
  },
};

const ibm: Follower = {
  name: "cloudant",
  follow: (url, since, seen, ended) => {
    const authenticator = new cloudant.BasicAuthenticator({ username: "reader", password: "secret" });
    const client = cloudant.CloudantV1.newInstance({ authenticator });
    client.setServiceUrl(url.replace(/\/db$/, ""));
    const follower = new cloudant.ChangesFollower(client, { db: "db", since: String(since) });
    const stream = follower.start();
    stream.on("data", (row: Row) => seen(row.id)).on("error", ended).on("end", () => ended("end"));
    return () => follower.stop();
  },
};

const pouchdb: Follower = {
  name: "pouchdb",
  follow: (url, since, seen, ended) => {
    PouchDB.plugin(HttpAdapter);
    const database = new PouchDB(url, { skip_setup: true });
    const changes = database.changes({ live: true, since, heartbeat: HEARTBEAT });
    changes.on("change", (row: Row) => seen(row.id)).on("error", ended).on(
      "complete",
      () => ended("complete"),
    );
    return () => changes.cancel();
  },
};

const follows: Follower = {
  name: "follow",
  follow: (url, since, seen, ended) => {
    const feed = new follow.Feed({ db: url, since, heartbeat: HEARTBEAT, inactivity_ms: 60_000 });
    feed.on("change", (row: Row) => seen(row.id));
    feed.on("error", ended);
    feed.on("stop", () => ended("stop"));
    feed.follow();
    return () => feed.stop();
  },
};

export const peers: readonly Follower[] = [nano, ibm, pouchdb, follows];
