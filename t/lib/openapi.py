#!/usr/bin/env python3
"""openapi.py DOCUMENT < EXCHANGES

Checks docs/openapi.json: references, path parameters, operation ids, schemas.
Then each line of standard input, {"method", "path", "status", "type", "body"}:
the path, the status and the type must be documented, and a JSON body must be
as its schema says. Prints what is wrong; silence is success."""
import json
import re
import sys

import jsonschema

ID = "/[0-9a-fA-F-]{32,36}"
METHODS = ("get", "post", "delete")


class Document:
    def __init__(self, name):
        with open(name) as f:
            self.doc = json.load(f)
        self.bad = []
        self.routes = []
        self.check()

    def say(self, text):
        if text not in self.bad:
            self.bad.append(text)

    def find(self, node):
        """What a $ref leads to."""
        while isinstance(node, dict) and "$ref" in node:
            at = self.doc
            for key in node["$ref"].removeprefix("#/").split("/"):
                if key not in at:
                    self.say("no such reference: " + node["$ref"])
                    return {}
                at = at[key]
            node = at
        return node

    def walk(self, node):
        if isinstance(node, dict):
            if "$ref" in node:
                self.find(node)
            for value in node.values():
                self.walk(value)
        elif isinstance(node, list):
            for value in node:
                self.walk(value)

    def check(self):
        ids = set()
        used = set(re.findall(r'"\$ref": "#/components/([^"]+)"',
                              json.dumps(self.doc)))
        if not re.match(r"3\.1\.\d+$", self.doc.get("openapi", "")):
            self.say("is not OpenAPI 3.1")
        self.walk(self.doc)
        for kind, parts in self.doc["components"].items():
            for name in parts:
                if "%s/%s" % (kind, name) not in used:
                    self.say("nothing uses %s/%s" % (kind, name))
        for schema in self.doc["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        for path, item in self.doc["paths"].items():
            for method, op in item.items():
                if method not in METHODS:
                    self.say("%s: unknown key %s" % (path, method))
                    continue
                if op["operationId"] in ids:
                    self.say("operationId %s is doubled" % op["operationId"])
                ids.add(op["operationId"])
                there = {p["name"] for p in map(self.find,
                                                op.get("parameters", []))
                         if p["in"] == "path"}
                if there != set(re.findall(r"{(\w+)}", path)):
                    self.say("%s %s: its path parameters" % (method, path))
                for status, answer in op["responses"].items():
                    if not self.find(answer).get("description"):
                        self.say("%s %s: %s says nothing"
                                 % (method, path, status))
            self.routes.append((path, re.compile(
                re.sub(r"/{\w+}", "(/.*)?", path.replace("/{id}", ID)
                       .replace(".", "[.]")) + "/?$")))

    def answer(self, x):
        path = x["path"].split("?")[0]
        method = x["method"].lower().replace("head", "get")
        where = "%s %s: %s" % (x["method"], x["path"][:80], x["status"])
        items = [self.doc["paths"][p] for p, r in self.routes
                 if r.match(path)]
        items.sort(key=lambda i: (method not in i, str(x["status"])
                                  not in i.get(method, {})
                                  .get("responses", {})))
        if not items or method not in items[0]:
            if x["status"] not in (403, 404, 405):
                self.say(where + " of a path that is not documented")
            return
        responses = items[0][method]["responses"]
        if str(x["status"]) not in responses:
            self.say(where + " is not documented")
            return
        content = self.find(responses[str(x["status"])]).get("content", {})
        kind = x["type"].split(";")[0]
        if x["method"] == "HEAD" or not content and not x["body"]:
            return
        if kind not in content:
            self.say("%s is %s" % (where, kind or "of no type"))
            return
        if not kind.endswith("json"):
            return
        schema = dict(content[kind]["schema"],
                      components=self.doc["components"])
        try:
            body = json.loads(x["body"])
        except ValueError as e:
            self.say("%s: %s" % (where, e))
            return
        for e in jsonschema.Draft202012Validator(schema).iter_errors(body):
            self.say("%s: %s: %s" % (where, "/".join(map(str, e.path)),
                                     e.message[:200]))


def main():
    d = Document(sys.argv[1])
    for line in sys.stdin:
        d.answer(json.loads(line))
    print("\n".join(d.bad), end="")
    return 1 if d.bad else 0


sys.exit(main())
