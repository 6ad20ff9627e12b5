/**
 * In which ways servers deviate from RFC 9110 §13, each with the sentence that decides it.
 *
 * @module
 */
import type { ServerName } from "./servers.ts";

/** The deviations, each with what RFC 9110 says. */
export const DEVIATIONS = {
  "unmodified beside If-Match":
    "§13.1.4: A recipient MUST ignore If-Unmodified-Since if the request contains an If-Match header field",
  "modified beside If-None-Match":
    "§13.1.3: A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field",
  "date compared as equal":
    "§13.1.3: If the selected representation's last modification date is earlier or equal to the date provided in the field value, the condition is false",
  "future date refused":
    "§13.1.3: A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid HTTP-date (one in the future is valid)",
  "unreadable date read":
    "§13.1.3, §13.1.4: A recipient MUST ignore the field if the received field value is not a valid HTTP-date",
  "legal date not read":
    "§5.6.7: A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats",
  "comma ends a tag": "§8.8.3: etagc = %x21 / %x23-7E / obs-text, and so a comma may stand in a tag",
  "malformed member ends the list":
    "§5.6.1.2, §13.1.2: nothing says what a malformed member does; ours skips it, so that one bad member does not hide a good one",
  "rest of a member not looked at": "§8.8.3: entity-tag = [ weak ] opaque-tag; what goes on after it is none",
  "malformed list read in another way":
    "§13.1.1, §13.1.2, §2.2: what is derived from a list that violates the grammar is left to the recipient",
  "first line only":
    "§5.3: A recipient MAY combine multiple field lines within a field section that have the same field name into one field line, without changing the semantics of the message: so the members are those of all lines",
  "last line only": "§5.3, as for the first line only",
  "* in a list of If-Match": '§13.1.1: If-Match = "*" / #entity-tag, so a * is no member of a list',
  "* in a list of If-None-Match": '§13.1.2: If-None-Match = "*" / #entity-tag, so a * is no member of a list',
  "quotes paired throughout a member":
    "§5.6.1.2, §13.1.2: nothing says where a malformed member ends; ours ends it at the first comma after the closing quote",
  "weak member ends a strong list": "§13.1.1: the condition is true if any of the listed tags match",
  "strong comparison beside Range":
    "§13.1.2: A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match",
  "empty field ignored":
    "§13.1.1: Otherwise, the condition is false: a field that is there and names no tag is no absent one",
  "range served":
    "§14.2: A server MAY ignore the Range header field; ours leaves it to the handler, and this one has none",
  "true condition ends the evaluation":
    "§13.2.2: when If-Unmodified-Since is true, continue to step 3: a matching If-None-Match still means 304",
  "If-Range before If-None-Match": "§13.2.2: If-Range is evaluated in step 5, If-None-Match in step 3",
  "repeated field refused": "§5.3: a list may come on several field lines, and its members are those of all",
} as const;

/** The name of one. */
export type Deviation = keyof typeof DEVIATIONS;

/** What each server is known for. A disagreement that needs another one is a finding, theirs or ours. */
export const KNOWN: Readonly<Record<ServerName, readonly Deviation[]>> = {
  "nginx": [
    "unmodified beside If-Match",
    "modified beside If-None-Match",
    "date compared as equal",
    "unreadable date read",
    "legal date not read",
    "comma ends a tag",
    "rest of a member not looked at",
    "first line only",
    "last line only",
    "malformed member ends the list",
    "empty field ignored",
    "* in a list of If-Match",
    "* in a list of If-None-Match",
    "range served",
    "malformed list read in another way",
    "repeated field refused",
  ],
  "Apache httpd": [
    "unmodified beside If-Match",
    "modified beside If-None-Match",
    "future date refused",
    "unreadable date read",
    "legal date not read",
    "comma ends a tag",
    "rest of a member not looked at",
    "malformed member ends the list",
    "first line only",
    "last line only",
    "empty field ignored",
    "* in a list of If-Match",
    "* in a list of If-None-Match",
    "quotes paired throughout a member",
    "true condition ends the evaluation",
    "If-Range before If-None-Match",
    "weak member ends a strong list",
    "strong comparison beside Range",
    "range served",
    "malformed list read in another way",
  ],
  "Go net/http": [
    "unreadable date read",
    "legal date not read",
    "malformed member ends the list",
    "rest of a member not looked at",
    "first line only",
    "* in a list of If-Match",
    "* in a list of If-None-Match",
    "empty field ignored",
    "range served",
    "malformed list read in another way",
  ],
};
