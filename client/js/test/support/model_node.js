// A node with one room that keeps history, and the wire between it and a client: what it says waits
// there until the test lets a frame through, or cuts.
export class ModelNode {
  history = []; // { offset, epoch }, the oldest first
  said = []; // texts that the services got, in order
  #offset = 0;
  #sessions = 0;
  #wire = [];
  #socket;
  #isMember = false; // this connection hears live frames

  /**
   * `kept` is how long the history may be; `chance` decides by a probability; `lossy`: now and then
   * a live message does not arrive, which is told (there was no room for it), or not.
   */
  constructor({ kept = Infinity, lossy = false, chance }) {
    this.kept = kept;
    this.lossy = lossy;
    this.chance = chance;
    this.epoch = "e1";
  }

  get isIdle() {
    return this.#wire.length === 0;
  }

  push() {
    const entry = { offset: String(++this.#offset), epoch: this.epoch };
    this.history.push(entry);
    if (this.history.length > this.kept) this.history.shift();
    if (this.#isMember) this.#msg(entry);
    return this.#offset;
  }

  /** The history is lost; offsets begin anew in another epoch. */
  forget() {
    this.history = [];
    this.#offset = 0;
    this.epoch += "+";
  }

  accept(socket) {
    this.#socket = socket;
    this.#wire = [];
    const session = `s${++this.#sessions}`;
    const resumed = socket.protocols.some((name) => name.startsWith("wsrouter.session."));
    // Nobody owns it at first, now and then; the service that does joins it, too, so that it hears
    // live frames early.
    const isOwned = resumed || this.chance(0.5);
    this.#isMember = false;
    const welcome = { connectionId: session, resumed: resumed || undefined };
    if (isOwned) Object.assign(welcome, { clientId: "alice", session });
    socket.onsent = (frame) => this.#hear(frame, isOwned || this.#isMember);
    socket.open();
    this.#wire.unshift({ welcome });
    if (isOwned) return;
    this.#wire.push({ welcome: { ...welcome, clientId: "alice", session } });
    this.#isMember = true;
    this.#wire.push({ joined: { room: "a" } });
  }

  /** One frame gets through. */
  deliver() {
    const frame = this.#wire.shift();
    if (frame?.msg && !frame.isReplayed && this.lossy && this.chance(0.1)) {
      if (this.chance(0.5)) this.#socket.say({ gap: { room: "a", count: 1 } });
      return;
    }
    if (frame) this.#socket.say(frame);
    if (frame?.msg && this.chance(0.1)) this.#socket.say(frame); // a copy
  }

  cut() {
    this.#wire = [];
    this.#isMember = false;
    const socket = this.#socket;
    socket.onsent = undefined;
    socket.cut();
  }

  #msg(entry, isReplayed = false) {
    const text = `${entry.epoch}:${entry.offset}`;
    this.#wire.push({ msg: { room: "a", text, ...entry }, isReplayed });
  }

  #hear({ join, message }, isOwned) {
    if (message) {
      this.said.push(message.text);
      this.#wire.push({ ack: { id: message.id } });
    }
    if (!join) return;
    if (!isOwned) {
      this.#wire.push({ error: { id: join.id, reason: "CONNECTION_NOT_OWNED" } });
      return;
    }
    const top = String(this.#offset);
    const from = Number(join.since?.offset);
    const oldest = Number(this.history[0]?.offset ?? this.#offset + 1);
    const recovered = join.since && join.since.epoch === this.epoch && from + 1 >= oldest;
    const since = recovered ? join.since : { offset: top, epoch: this.epoch };
    this.#wire.push({ joined: { id: join.id, room: "a", since, recovered, top } });
    const missed = this.history.filter(({ offset }) => recovered && Number(offset) > from);
    missed.forEach((entry) => this.#msg(entry, true));
    this.#isMember = true;
  }
}
