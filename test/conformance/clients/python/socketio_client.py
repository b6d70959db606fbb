"""A client of python-socketio whose handlers take one argument each. It prints each event as a line, comes
back after the end of a connection, and resumes with the cursors that it has seen.

Arguments: its major version, the address of a gateway, a token, the transport.
"""
import json
import sys
import threading
import time
import urllib.parse

import socketio

RETRY_S = 0.1
EVENTS = ["connected", "connections.count", "pong", "resumed", "task.custom", "task.event", "told"]
VERSION, URL, TOKEN, TRANSPORT = sys.argv[1:]
cursors = {}
# Handlers run in threads of their own, and `print` writes a text and its end one after the other.
printing = threading.Lock()


def say(name, payload):
    with printing:
        print(json.dumps({**payload, "type": name}), flush=True)


def make_client():
    client = socketio.Client(reconnection=False)

    @client.event
    def connect():
        """A handler in the root namespace makes the client join that as well."""
        say("root", {})

    @client.on("disconnect", namespace="/events")
    def disconnected(*_):
        say("disconnect", {})

    for name in EVENTS:
        listen(client, name)
    return client


def note(channel, cursor):
    """Keeps the newer cursor: handlers run in threads, in any order."""
    epoch, number = cursor.split(".")
    known_epoch, known = cursors.get(channel, "-.0").split(".")
    if epoch != known_epoch or int(number) > int(known):
        cursors[channel] = cursor


def listen(client, name):
    @client.on(name, namespace="/events")
    def handler(payload):
        if "cursor" in payload and "channel" in payload:
            note(payload["channel"], payload["cursor"])
        say(name, payload)
        if name == "connected":
            client.emit("ping", {"n": 1}, namespace="/events")


def serve(client):
    auth = {"token": TOKEN, **({"cursors": json.dumps(cursors)} if cursors else {})}
    if VERSION == "4":
        client.connect(f"{URL}?{urllib.parse.urlencode(auth)}", transports=[TRANSPORT])
    else:
        client.connect(URL, auth=auth, transports=[TRANSPORT])
    client.wait()


while True:
    try:
        serve(make_client())
    except socketio.exceptions.ConnectionError:
        pass
    time.sleep(RETRY_S)
