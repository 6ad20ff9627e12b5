# Varnish in front of a site that uses withEtag, purged by group with `xkey` (the package varnish-modules).
#
#   Cache-Control: public, max-age=0, s-maxage=3600   kept for an hour, or until its group is purged (purge.ts)
#   Cache-Control: public, no-cache                   kept, and revalidated at each request with the tag of the copy
vcl 4.1;

import xkey;

backend site {
  .host = "127.0.0.1";
  .port = "8000";
}

# Who may purge.
acl purgers {
  "127.0.0.1";
  "::1";
}

sub vcl_recv {
  if (req.method == "PURGE") {
    if (client.ip !~ purgers) {
      return (synth(403));
    }
    if (req.http.purge-all) {
      # What has changed is not known.
      ban("obj.status != 0");
      return (synth(200));
    }
    # The groups of a page are in its field `xkey`; those to purge are in the same field of the request.
    set req.http.purged = xkey.purge(req.http.xkey);
    return (synth(200, req.http.purged));
  }
  # Varnish answers for ten seconds longer than a page says, while it fetches the new one.
  set req.grace = 0s;
}

sub vcl_backend_response {
  set beresp.grace = 0s;
  # What is past its time is kept to be revalidated.
  set beresp.keep = 1d;
  set beresp.do_gzip = beresp.http.Content-Type ~ "^(text/|application/json)";
  # Varnish takes `no-cache` for "do not store". What it means is "ask before each use", and with a tag that is cheap.
  if (beresp.status == 200 && beresp.http.ETag && beresp.http.Cache-Control ~ "no-cache" &&
      beresp.http.Cache-Control !~ "private|no-store" && !beresp.http.Set-Cookie) {
    # Not 0: such a copy would never be looked at again.
    set beresp.ttl = 0.001ms;
    return (deliver);
  }
}

sub vcl_deliver {
  # The ids of documents are for Varnish alone.
  unset resp.http.xkey;
}
