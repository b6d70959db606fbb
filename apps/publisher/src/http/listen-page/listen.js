// The page "Listen": follows a project as docs/reconnecting.md describes, and publishes beside it.
// It is served as it is, and loads nothing else.
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const SILENCE_MS = 70_000; // two heartbeats, and some time more
const MOST_EVENTS = 200;
/** Events before the answer to `subscribe`; a node sends far fewer. */
const MOST_EARLY = 10_000;
/** Close codes after which another attempt would end in the same way. */
const FINAL = [1003, 1007, 1008, 1009, 4001, 4003];
/** Codes of errors after which the same command may succeed. */
const PASSING = ['unavailable', 'overloaded', 'draining', 'join_timeout', 'internal'];
const EXAMPLE = {
  type: 'notification',
  project_id: 'PROJ-001',
  data: { title: 'Hello', message: 'It works' },
};

/** In the name of a channel an id is percent-encoded; most ids stay as they are. */
const encodeId = (id) =>
  encodeURIComponent(id)
    .replace(/%(?:3A|40|2B)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const find = (id) => document.getElementById(id);
/** The connection in use; undefined when the user wants none. */
let follower;

const link = new URLSearchParams(location.hash.slice(1));
const server = new URL('..', location.href);
// At the operators' port are neither clients nor the API; a link may name their port with `#port=`.
if (link.has('port')) server.port = link.get('port');
find('server').value = server.href.replace(/\/$/, '');
find('body').value = JSON.stringify(EXAMPLE, null, 2);
// A link may carry the token behind `#token=`, which browsers send to no server.
find('token').value = link.get('token') ?? '';

find('connection').addEventListener('submit', (event) => {
  event.preventDefault();
  if (follower === undefined) connect();
  else disconnect();
});

find('event').addEventListener('submit', (event) => {
  event.preventDefault();
  publish().then(show, (error) => show(error.message));
});

function connect() {
  const project = find('project').value.trim();
  follower = new Follower(addressOf(project), project || undefined);
  follower.open();
  find('connect').textContent = 'Disconnect';
}

function disconnect() {
  follower?.close();
  follower = undefined;
  find('connect').textContent = 'Connect';
  say('Not connected.');
}

function addressOf(project) {
  const url = new URL(`${find('server').value.trim().replace(/\/+$/, '')}/ws/notifications`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (project) url.searchParams.set('resume', '1'); // nothing flows before the cursor has come
  const token = find('token').value.trim();
  if (token) url.searchParams.set('token', token);
  return url.href;
}

/** One project, or all that the token allows, over as many connections as it takes. */
class Follower {
  #address;
  #project;
  #channel;
  #socket;
  /** For the end of a silence, or of a pause. */
  #timer;
  #failures = 0;
  /** Everything in the channel of the project was seen up to here. */
  #cursor;
  /** Events of the project before the answer to `subscribe`; undefined after it. */
  #early = [];
  #wasAnswered = false;

  constructor(address, project) {
    this.#address = address;
    this.#project = project;
    this.#channel = project && `project:${encodeId(project)}`;
  }

  open() {
    say('Connecting…');
    this.#early = [];
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    this.#heard();
    socket.onopen = () => this.#subscribe();
    socket.onmessage = ({ data }) => {
      this.#heard();
      this.#take(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  close() {
    clearTimeout(this.#timer);
    if (this.#socket === undefined) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
  }

  /** A close of a dead connection would wait for the other side, so it is left to itself. */
  #heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#leave(1006, 'nothing was heard'), SILENCE_MS);
  }

  #leave(code, reason) {
    this.close();
    this.#closed(code, reason);
  }

  #subscribe() {
    if (this.#project === undefined) {
      this.#early = undefined;
      this.#answered(true);
      return;
    }
    const command = { action: 'subscribe', project_id: this.#project, since: this.#cursor };
    this.#socket.send(JSON.stringify(command));
  }

  #take(event) {
    if (event.type === 'subscribed') this.#subscribed(event.data);
    else if (event.type === 'error' && event.channel === undefined) this.#refused(event.data);
    else if (event.type === 'resync') this.#resync(event);
    else if (event.type === 'live.dropped')
      note(`${event.data.dropped} live-only events did not come.`);
    else if (event.channel !== undefined) this.#receive(event);
  }

  #subscribed({ recovered, cursor }) {
    const missed = this.#early ?? [];
    this.#early = undefined;
    this.#answered(recovered !== false);
    if (recovered !== false)
      for (const each of missed.filter((one) => this.#isNew(one))) print(each);
    this.#cursor = cursor;
  }

  /** Before the answer nothing flows: the page comes back where that can help, and ends elsewhere. */
  #refused({ code, message }) {
    if (this.#early === undefined) {
      note(`The server answers: ${message}`);
    } else if (this.#wasAnswered && PASSING.includes(code)) {
      this.#leave(1013, message);
    } else {
      disconnect();
      say(`Refused: ${message}.`);
    }
  }

  #resync({ channel, data }) {
    if (this.#follows(channel)) {
      if (this.#early !== undefined) return; // the answer says what is lost
      this.#cursor = data.cursor;
    }
    note('Some events are lost. A client would fetch the state again now.');
  }

  /** Other channels, such as `all` and the user's, have cursors of their own. */
  #receive(event) {
    if (!this.#follows(event.channel)) {
      print(event);
    } else if (this.#early === undefined) {
      this.#cursor = event.cursor ?? this.#cursor;
      print(event);
    } else if (this.#early.length < MOST_EARLY) {
      this.#early.push(event);
    } else {
      this.#leave(1006, 'too many events came before the answer');
    }
  }

  #follows(channel) {
    return this.#channel !== undefined && channel === this.#channel;
  }

  /** Offsets, the numbers at the end of cursors, grow. */
  #isNew({ cursor }) {
    const offsetOf = (text) => Number(text.slice(text.lastIndexOf('.') + 1));
    return !this.#cursor || !cursor || offsetOf(cursor) > offsetOf(this.#cursor);
  }

  #answered(recovered) {
    const isBack = this.#wasAnswered;
    this.#wasAnswered = true;
    this.#failures = 0;
    say(this.#project === undefined ? 'Connected.' : `Connected, following ${this.#project}.`);
    if (!isBack) return;
    if (this.#project === undefined)
      note('Back. Without a project, what came meanwhile is not resent.');
    else note(recovered ? 'Back, nothing lost.' : 'Back. Some events are lost.');
  }

  #closed(code, reason) {
    clearTimeout(this.#timer);
    if (!this.#wasAnswered || FINAL.includes(code)) {
      disconnect();
      say(`Refused: ${reason || `close code ${code}`}. ${hintFor(code)}`);
      return;
    }
    const isHint = (code === 1001 || code === 1012) && /^\d+$/.test(reason);
    const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    const pauseMs = isHint ? Number(reason) : Math.random() * bound;
    if (this.#failures === 0) note(`The connection has ended (code ${code}).`);
    this.#failures += 1;
    say(`Reconnecting in ${(pauseMs / 1000).toFixed(1)} s…`);
    this.#timer = setTimeout(() => this.open(), pauseMs);
  }
}

/** A page cannot read why a handshake was refused. */
function hintFor(code) {
  return code === 1006 ? 'Is the server there, and does it want a token?' : '';
}

async function publish() {
  const body = find('body').value;
  JSON.parse(body); // names the place of a mistake better than the server, which gets a text
  const server = find('server').value.trim().replace(/\/+$/, '');
  const token = find('token').value.trim();
  const answer = await fetch(`${server}/api/publish`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body,
  });
  return `${answer.status} ${await answer.text()}`;
}

function show(text) {
  find('answer').textContent = text;
}

function say(text) {
  find('status').textContent = text;
}

function print({ type, timestamp, channel, data }) {
  const entry = add(`${timestamp}  ${type}  ${channel}`);
  const content = document.createElement('pre');
  content.textContent = JSON.stringify(data, null, 2);
  entry.append(content);
}

function note(text) {
  add(text);
}

function add(text) {
  const list = find('events');
  const entry = document.createElement('li');
  entry.textContent = text;
  list.prepend(entry);
  while (list.children.length > MOST_EVENTS) list.lastChild.remove();
  return entry;
}
