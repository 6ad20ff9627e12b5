"""A small blog in Python, with nothing but its standard library, to be served behind the sidecar.

It knows nothing of the sidecar. Of each page it says its state (ETag) and what it was built from (Cache-Groups, RFC
9875): the ids of the documents, and "posts" for the list. Of each write it says what is void (Cache-Group-Invalidation).

Environment: PORT (3000), COUCHDB_URL (http://127.0.0.1:5984/blog).
"""

import base64
import hashlib
import html
import http.server
import json
import os
import urllib.error
import urllib.parse
import urllib.request

# Part of every tag: another build may make another page of the same documents.
BUILD = "1"

parsed = urllib.parse.urlsplit(os.environ.get("COUCHDB_URL", "http://127.0.0.1:5984/blog"))
database = urllib.parse.urlunsplit(parsed._replace(netloc=parsed.netloc.rpartition("@")[2])).rstrip("/")
credentials = f"{urllib.parse.unquote(parsed.username or '')}:{urllib.parse.unquote(parsed.password or '')}"


def ask(path, method="GET", document=None):
    """Asks the database; raises an HTTPError where it refuses."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(database + path, body, {"Content-Type": "application/json"}, method=method)
    if parsed.username:
        request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def groups(*names):
    """Names in the spelling of Cache-Groups: Strings, percent-encoded."""
    return ", ".join(f'"{urllib.parse.quote(name, safe="")}"' for name in names)


class Blog(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path == "/":
            rows = ask('/_all_docs?include_docs=true&startkey="post-"&endkey="post-z"')["rows"]
            posts = [row["doc"] for row in rows]
            state = hashlib.sha256(" ".join(post["_id"] + post["_rev"] for post in posts).encode()).hexdigest()
            items = "".join(f"<li>{html.escape(post['title'])}</li>" for post in posts)
            return self.page(f"<ul>{items}</ul>", state, "posts", *(post["_id"] for post in posts))
        if path.startswith("/posts/"):
            post = ask("/" + urllib.parse.quote(path.removeprefix("/posts/"), safe=""))
            return self.page(f"<h1>{html.escape(post['title'])}</h1>", post["_rev"], post["_id"])
        self.answer(404, {}, b"not found")

    do_HEAD = do_GET

    def do_PUT(self):
        """Gives a post another title."""
        title = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        post = ask("/" + urllib.parse.quote(self.path.removeprefix("/posts/"), safe=""))
        post["title"] = title
        ask("/" + urllib.parse.quote(post["_id"], safe=""), "PUT", post)
        self.answer(204, {"Cache-Group-Invalidation": groups(post["_id"], "posts")})

    def page(self, text, state, *depends_on):
        fields = {"ETag": f'"{state}.{BUILD}"', "Cache-Groups": groups(*depends_on)}
        fields |= {"Cache-Control": "public, no-cache", "Content-Type": "text/html; charset=utf-8"}
        self.answer(200, fields, text.encode())

    def answer(self, status, fields, body=b""):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except urllib.error.HTTPError as error:
            # What the database refuses is the client's affair where the document is missing or was changed meanwhile.
            self.answer(error.code if error.code in (404, 409) else 500, {}, b"the database refused")

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 3000))), Blog)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
