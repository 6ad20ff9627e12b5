// A small blog in Go, with nothing but its standard library, to be served behind the sidecar.
//
// It knows nothing of the sidecar. Of each page it says its state (ETag) and what it was built from (Cache-Groups, RFC
// 9875): the ids of the documents, and "posts" for the list. Of each write it says what is void
// (Cache-Group-Invalidation).
//
// Environment: PORT (3000), COUCHDB_URL (http://127.0.0.1:5984/blog).
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Part of every tag: another build may make another page of the same documents.
const build = "1"

var (
	database = strings.TrimRight(environment("COUCHDB_URL", "http://127.0.0.1:5984/blog"), "/")
	client   = &http.Client{Timeout: 10 * time.Second}
)

type post map[string]any

func (p post) text(name string) string {
	text, _ := p[name].(string)
	return text
}

// refusal is the status with which the database refuses.
type refusal int

func (r refusal) Error() string { return fmt.Sprintf("the database answers %d", int(r)) }

// ask asks the database; credentials in its URL are sent by net/http.
func ask(method, path string, document, result any) error {
	var body io.Reader
	if document != nil {
		text, err := json.Marshal(document)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, database+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 400 {
		return refusal(response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(result)
}

// groups gives names in the spelling of Cache-Groups: Strings, percent-encoded.
func groups(names ...string) string {
	spelled := make([]string, len(names))
	for i, name := range names {
		spelled[i] = `"` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") + `"`
	}
	return strings.Join(spelled, ", ")
}

func page(w http.ResponseWriter, text, state string, dependsOn ...string) {
	w.Header().Set("ETag", `"`+state+"."+build+`"`)
	w.Header().Set("Cache-Groups", groups(dependsOn...))
	w.Header().Set("Cache-Control", "public, no-cache")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, text)
}

func list(w http.ResponseWriter) error {
	var result struct{ Rows []struct{ Doc post } }
	if err := ask("GET", `/_all_docs?include_docs=true&startkey="post-"&endkey="post-z"`, nil, &result); err != nil {
		return err
	}
	names, state, items := []string{"posts"}, sha256.New(), ""
	for _, row := range result.Rows {
		names = append(names, row.Doc.text("_id"))
		io.WriteString(state, row.Doc.text("_id")+row.Doc.text("_rev"))
		items += "<li>" + html.EscapeString(row.Doc.text("title")) + "</li>"
	}
	page(w, "<ul>"+items+"</ul>", fmt.Sprintf("%x", state.Sum(nil)), names...)
	return nil
}

func show(w http.ResponseWriter, id string) error {
	var found post
	if err := ask("GET", "/"+url.PathEscape(id), nil, &found); err != nil {
		return err
	}
	page(w, "<h1>"+html.EscapeString(found.text("title"))+"</h1>", found.text("_rev"), found.text("_id"))
	return nil
}

// retitle gives a post another title.
func retitle(w http.ResponseWriter, id string, body io.Reader) error {
	title, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var found post
	if err := ask("GET", "/"+url.PathEscape(id), nil, &found); err != nil {
		return err
	}
	found["title"] = string(title)
	var written post
	if err := ask("PUT", "/"+url.PathEscape(id), found, &written); err != nil {
		return err
	}
	w.Header().Set("Cache-Group-Invalidation", groups(id, "posts"))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func blog(w http.ResponseWriter, r *http.Request) {
	id, isPost := strings.TrimPrefix(r.URL.Path, "/posts/"), strings.HasPrefix(r.URL.Path, "/posts/")
	isRead := r.Method == "GET" || r.Method == "HEAD"
	var err error
	switch {
	case isRead && r.URL.Path == "/":
		err = list(w)
	case isRead && isPost:
		err = show(w, id)
	case r.Method == "PUT" && isPost:
		err = retitle(w, id, r.Body)
	default:
		http.NotFound(w, r)
	}
	if err != nil {
		status := http.StatusInternalServerError
		// What the database refuses is the client's affair where the document is missing or was changed meanwhile.
		if answered, ok := err.(refusal); ok && (answered == 404 || answered == 409) {
			status = int(answered)
		}
		http.Error(w, "the database refused", status)
	}
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+environment("PORT", "3000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(blog)))
}
