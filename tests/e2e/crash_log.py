"""What crash_test.py saw of the event log, and whether that is what may have happened."""

from collections import Counter, defaultdict, namedtuple

Entry = namedtuple("Entry", "id kind at connection client previous cause room")
OPENS = ("CONNECTED", "RESUMED")
ENDS = ("RELEASED", "DISCONNECTED")


def place(entry_id):
    """Partition and order of an entry: "<partition>-<milliseconds>-<number>"."""
    return tuple(int(part) for part in entry_id.split("-"))


def node_of(connection):
    """<server_id>.<incarnation> of a connection id."""
    return connection.rsplit(".", 2)[0]


class GroupLog:
    """What the consumers of one group printed before they settled it."""

    def __init__(self, name):
        self.name = name
        self.entries = {}  # by id, in the order in which they came for the first time
        self.times = Counter()  # by id, how often it came
        self.lost = 0

    def line(self, line):
        words = line.split(" ")
        if words[0] == "status":
            self.lost += int(words[3])
            return
        entry = Entry(words[0], words[1], int(words[2]), *words[3:8])
        self.entries.setdefault(entry.id, entry)
        self.times[entry.id] += 1

    def in_order(self):
        return sorted(self.entries.values(), key=lambda entry: place(entry.id))

    def out_of_order(self):
        """Entries that came for the first time behind later ones of their partition."""
        last, wrong = {}, []
        for entry_id in self.entries:
            partition, *order = place(entry_id)
            if order < last.get(partition, [0, 0]):
                wrong.append(entry_id)
            last[partition] = max(order, last.get(partition, order))
        return wrong


class Lives:
    """The lives of connections, memberships and rooms that a log tells of. `wrong` has what cannot
    have happened, in words."""

    def __init__(self, entries):
        self.opened = {}  # connection -> the entry that began it
        self.ended = {}  # connection -> the entry that ended it
        # Connections that began anew behind their end: their node had not heard of it, since the
        # one that took them over died before it could say so, and wrote them again.
        self.again = 0
        self.wrong = []
        rooms, members = defaultdict(list), defaultdict(list)
        for entry in entries:
            if entry.kind in OPENS:
                self.begin(entry)
            elif entry.kind in ENDS:
                self.end(entry.connection, entry)
            elif entry.kind in ("JOINED", "LEFT"):
                members[entry.connection, entry.room].append(entry.kind)
            elif entry.kind in ("ROOM_OCCUPIED", "ROOM_VACATED"):
                rooms[entry.room].append(entry.kind)
        self.alternate(members, "JOINED", "LEFT")
        self.alternate(rooms, "ROOM_OCCUPIED", "ROOM_VACATED")

    def begin(self, entry):
        if entry.connection in self.opened:
            if self.ended.pop(entry.connection, None) is None:
                self.wrong.append(f"began twice: {self.opened[entry.connection]} and {entry}")
            self.again += 1
        self.opened.setdefault(entry.connection, entry)
        if entry.kind == "RESUMED" and entry.previous != "-":
            self.end(entry.previous, entry)

    def end(self, connection, entry):
        if connection in self.ended:
            self.wrong.append(f"ended twice: {self.ended[connection]} and {entry}")
        if connection not in self.opened:
            self.wrong.append(f"ended and never began: {entry}")
        self.ended[connection] = entry

    def alternate(self, kinds, first, second):
        for what, seen in kinds.items():
            if seen != [first, second] * (len(seen) // 2):
                self.wrong.append(f"{what}: {seen}")

    def open(self):
        return self.opened.keys() - self.ended.keys()

    def ends_after(self, node, at):
        """For the connections of a node that died at `at`, in ms: how much later they ended."""
        return [self.ended[connection].at - at for connection in self.opened
                if node_of(connection) == node and connection in self.ended
                and self.ended[connection].at > at]
