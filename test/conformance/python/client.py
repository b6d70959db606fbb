"""A client of python-socketio whose handlers take one argument each. Prints what reaches them.

Arguments: its major version, the address of a gateway, a token, cursors as JSON text, the transport.
"""
import json
import sys
import threading
import urllib.parse

import socketio

VERSION, URL, TOKEN, CURSORS, TRANSPORT = sys.argv[1:]
client = socketio.Client(reconnection=False)
# Handlers run in threads of their own, and `print` writes a text and its end one after the other.
printing = threading.Lock()


def say(name, payload):
    with printing:
        print(json.dumps([name, payload]), flush=True)


@client.event
def connect():
    """A handler in the root namespace makes the client join that as well."""
    say("root", None)


def listen(name):
    @client.on(name, namespace="/events")
    def handler(payload):
        say(name, payload)
        if name == "connected":
            client.emit("ping", {"n": 1}, namespace="/events")


for each in ["connected", "connections.count", "told", "task.custom", "task.event", "pong", "resumed"]:
    listen(each)


@client.on("disconnect", namespace="/events")
def disconnected(*_):
    say("disconnect", None)


if VERSION == "4":
    query = urllib.parse.urlencode({"token": TOKEN, "cursors": CURSORS})
    client.connect(f"{URL}?{query}", transports=[TRANSPORT])
else:
    auth = {"token": TOKEN, "cursors": CURSORS}
    client.connect(URL, auth=auth, transports=[TRANSPORT])
client.wait()
