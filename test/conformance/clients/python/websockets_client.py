"""A client of `websockets`. It prints each message of the server as a line, comes back after the end of
a connection, and resumes with the cursors that it has seen.

Arguments: the address of the endpoint, a token.
"""
import json
import sys
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

RETRY_S = 0.1
URL, TOKEN = sys.argv[1:]
cursors = {}


def serve(connection):
    for text in connection:
        print(text, flush=True)
        message = json.loads(text)
        if message["type"] == "connection":
            greet(connection)
        if "cursor" in message:
            cursors[message["channel"]] = message["cursor"]


def greet(connection):
    if cursors:
        connection.send(json.dumps({"action": "resume", "cursors": cursors}))
    connection.send(json.dumps({"action": "ping"}))


while True:
    try:
        with connect(URL, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as connected:
            try:
                serve(connected)
            except ConnectionClosed:
                pass
        print('{"type":"disconnect"}', flush=True)
    except OSError:
        pass
    time.sleep(RETRY_S)
