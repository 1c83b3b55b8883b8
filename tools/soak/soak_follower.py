"""One who follows the service's events and notices when one is missing, comes twice or comes out of order."""

import collections
import http.client
import json
import threading
import time


class Follower(threading.Thread):
    """Follows from the first event to the last. With `stays` it hangs up after so many events, drawn anew each time, and
    comes back a moment later with the last id that it saw, until settle(). Only its thread writes; others read counts."""

    def __init__(self, name, port, random=None, stays=None):
        super().__init__(name=name, daemon=True)
        self.port, self.random, self.stays = port, random, stays
        self.life, self.last = None, 0
        self.types = collections.Counter()
        self.evaluated = collections.Counter()  # (job, operator, candidate)
        self.connections = 0
        self.problems = []
        self.service_ended = False
        self.give_up = False

    def settle(self):
        """Hangs up no more: when the service ends, nobody can come back to it."""
        self.stays = None

    def run(self):
        while not self.service_ended and not self.give_up:
            try:
                self.follow_once()
            except (OSError, http.client.HTTPException) as error:
                if not self.give_up:
                    self.problems.append(f"follower {self.name}: the stream broke after event {self.last}: {error!r}")
                    self.give_up = True
            if self.stays and not self.service_ended:
                time.sleep(self.random.uniform(0, 2))

    def follow_once(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Last-Event-ID": f"{self.life}-{self.last}"} if self.life else {}
            connection.request("GET", "/v1/events" + ("" if self.life else "?after=0"), headers=headers)
            reply = connection.getresponse()
            self.connections += 1
            until = self.last + self.random.randint(1, self.stays) if self.stays else None
            frame = {}
            while line := reply.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    frame[name] = value
                    continue
                self.take(frame)
                frame = {}
                if self.service_ended or self.give_up or (until and self.stays and self.last >= until):
                    return
            self.problems.append(f"follower {self.name}: the stream ended after event {self.last}")
            self.give_up = True
        finally:
            connection.close()

    def take(self, frame):
        if "event" not in frame:
            return  # a heartbeat, or the stream's beginning
        if frame["event"] == "gap":
            self.problems.append(f"follower {self.name}: a gap after event {self.last}: {frame['data']}")
            return
        life, _, number = frame["id"].rpartition("-")
        if (self.life and life != self.life) or int(number) != self.last + 1:
            self.problems.append(f"follower {self.name}: event {frame['id']} after {self.life}-{self.last}")
        self.life, self.last = life, int(number)
        event = json.loads(frame["data"])
        self.types[event["type"]] += 1
        if event["type"] == "evaluated":
            data = event["data"]
            self.evaluated[event["job"], data["operator"], data["candidate"]] += 1
        self.service_ended = event["type"] == "service_ended"
