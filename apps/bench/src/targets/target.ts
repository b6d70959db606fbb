/** What a target's clients speak, e.g. `ws` or `socketio`; clients of one format get the same bytes. */
export type Format = string;

/** A server that can be measured: Leque or a peer. */
export interface Target {
  readonly name: string;
  /** What its clients can speak, the first one by default. */
  readonly formats: readonly Format[];
  /** Undefined when it can run here; else why not, in one sentence, for the table. */
  unavailable(): Promise<string | undefined>;
  /** Gets what it lacks, with the package managers of this machine; afterwards ask again. */
  install?(): Promise<void>;
  /** @throws Error with the server's output when it does not come up */
  start(context: TargetContext): Promise<RunningTarget>;
  /**
   * Starts what takes events over HTTP; a target without it takes no part in that.
   * @throws Error with the server's output when it does not come up
   */
  startPublisher?(options: PublisherOptions): Promise<RunningPublisher>;
}

export interface PublisherOptions {
  readonly redis: Pick<RedisAddress, 'url'>;
  readonly port: number;
}

/** Answers `POST /api/publish` as Leque does, and stores in Redis as Leque does. */
export interface RunningPublisher extends AsyncDisposable {
  readonly pid: number;
  readonly versions: Readonly<Record<string, string>>;
  /** How it was started, for the report. */
  readonly flags: string;
}

export interface TargetContext {
  readonly redis: RedisAddress;
  /** The server listens on it, at 127.0.0.1 to 127.255.255.255; the nine that follow are its own too. */
  readonly port: number;
  /** Channel indexes are 0 to `channels - 1`. */
  readonly channels: number;
  /** Each channel is of one user rather than of a project; nothing to peers that do not tell. */
  readonly personal?: boolean;
  /** Whether clients come as they do in the field, rather than before anything is measured. */
  readonly storm?: boolean;
  /** How often the server pings its clients; so rarely that no run sees it, when it is not given. */
  readonly heartbeatSeconds?: number;
  /** Environment variables for the server, before its own. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

export interface RunningTarget extends AsyncDisposable {
  /** The processes whose CPU and memory count as the server's. */
  readonly pids: readonly number[];
  /** Of the program and of what it runs on, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** How it was started, for the report. */
  readonly flags: string;
  /** `host:port`, over which the clients are spread. */
  readonly addresses: readonly string[];
  /**
   * A frame may hold several publications, as the server puts together what is due at once: such
   * frames have to be parsed on every connection, as neither they nor their bytes count anything.
   */
  readonly coalesces?: boolean;
  /**
   * What one client sends. `index` is the connection's own number, because where clients are users
   * each is one of its own, as in the field.
   */
  client(format: Format, channels: readonly number[], index: number): ClientScript;
  readonly publishing: Publishing;
  /** The bytes that publish `event`, whose fields of fixed width may still be patched in them. */
  publication(channel: number, event: Buffer): Buffer;
  /** Numbers of the server about itself, by name with the unit in it. */
  metrics?(): Promise<Record<string, number>>;
}

export interface ClientScript {
  /** Sent after the TCP connect: the HTTP request for the upgrade. */
  readonly request: Buffer;
  /** Sent after the head of the answer 101: masked frames; may be empty. */
  readonly afterUpgrade: Buffer;
  /**
   * The client gets publications once what came after the head has contained this. It is the last
   * that comes before them.
   */
  readonly ready: string;
  /** Bytes to send when the payload of a text frame is the key. */
  readonly replies?: Readonly<Record<string, Buffer>>;
}

/** How publications are written: one after the other to one connection, without waiting. */
export interface Publishing {
  /** `host:port` */
  readonly address: string;
  /** Sent after the connect. */
  readonly preamble?: Buffer;
  /** What in the answers means that a publication failed. */
  readonly error: string;
  /** What occurs in the answers once for each publication that was taken. */
  readonly ack?: string;
}
