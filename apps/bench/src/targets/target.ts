/** A client protocol, e.g. `ws` or `socketio`; clients of one format receive the same bytes. */
export type Format = string;

/** A server that can be measured: Leque or a peer. */
export interface Target {
  readonly name: string;
  /** The formats of its clients; the first is the default. */
  readonly formats: readonly Format[];
  /** Why it cannot run here, in one sentence for the table; undefined when it can. */
  unavailable(): Promise<string | undefined>;
  /** Installs what is missing with the package managers of this machine. */
  install?(): Promise<void>;
  /** @throws Error with the server's output when it does not come up */
  start(context: TargetContext): Promise<RunningTarget>;
  /** Whether its clients subscribe by Leque's commands, with its tokens and grants. */
  readonly takesGrants?: boolean;
  /**
   * Starts a publisher that takes events over HTTP; targets without it skip such workloads.
   * @throws Error with the server's output when it does not come up
   */
  startPublisher?(options: PublisherOptions): Promise<RunningPublisher>;
}

export interface PublisherOptions {
  readonly redis: Pick<RedisAddress, 'url'>;
  readonly port: number;
}

/** A publisher with Leque's `POST /api/publish`, which stores in Redis as Leque does. */
export interface RunningPublisher extends AsyncDisposable {
  readonly pid: number;
  readonly versions: Readonly<Record<string, string>>;
  /** How it was started, for the report. */
  readonly flags: string;
}

export interface TargetContext {
  readonly redis: RedisAddress;
  /** The server listens on it, at 127.0.0.0/8; the nine following ports are reserved for it too. */
  readonly port: number;
  /** Channel indexes are 0 to `channels - 1`. */
  readonly channels: number;
  /** Whether each channel belongs to a user rather than a project; ignored by peers without users. */
  readonly personal?: boolean;
  /** Whether clients also connect while the run is measured, so that admission must be realistic. */
  readonly storm?: boolean;
  /** The server's heartbeat interval; without it no heartbeat occurs during a run. */
  readonly heartbeatSeconds?: number;
  /** Environment variables for the server. */
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
  /** Versions of the program and its runtime, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** How it was started, for the report. */
  readonly flags: string;
  /** `host:port`, over which the clients are spread. */
  readonly addresses: readonly string[];
  /**
   * Whether one frame may hold several publications. Then every connection is parsed, because
   * neither frames nor bytes count publications.
   */
  readonly coalesces?: boolean;
  /**
   * Describes what one client sends. `index` is the number of the connection; each connection is a separate
   * user where the target has users.
   */
  client(format: Format, channels: readonly number[], index: number): ClientScript;
  readonly publishing: Publishing;
  /** The bytes that publish `event`; its fixed-width fields are patched in these bytes. */
  publication(channel: number, event: Buffer): Buffer;
  /** The server's own metrics, by name including the unit. */
  metrics?(): Promise<Record<string, number>>;
}

export interface ClientScript {
  /** Sent after the TCP connect: the HTTP request for the upgrade. */
  readonly request: Buffer;
  /** Masked frames sent after the 101 answer; may be empty. */
  readonly afterUpgrade: Buffer;
  /**
   * The text that ends the set-up: once it has arrived after the 101 answer, the client receives
   * publications.
   */
  readonly ready: string;
  /** Bytes to send when the payload of a text frame equals the key. */
  readonly replies?: Readonly<Record<string, Buffer>>;
}

/** How publications are written: pipelined on one connection. */
export interface Publishing {
  /** `host:port` */
  readonly address: string;
  /** Sent after the connect. */
  readonly preamble?: Buffer;
  /** Occurs in the answers once for each failed publication. */
  readonly error: string;
  /** Occurs in the answers once for each accepted publication. */
  readonly ack?: string;
}
