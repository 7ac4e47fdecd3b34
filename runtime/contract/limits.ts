/* oxlint-disable max-lines -- all limits in one place is worth more than a short file */
/**
 * Every bound of the product, with its unit last in the name. Nothing else in the tree
 * defines a limit; what a user may set is marked and has its key in `settings.ts`.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Bounds on one HTTP request and its response. */
export const httpLimits = {
  /** Largest request body a function accepts unless its `maxBodyBytes` setting says otherwise. */
  requestBodyBytes: 16 * MiB,
  /** Largest value of the `maxResponseBytes` setting, which has no default: responses are streamed. */
  responseBodyBytesMax: 1024 * 1024 * MiB,
  /** A declared body up to this size is collected and handed to the worker in one frame. */
  inlineBodyBytes: 64 * KiB,
  /** Bytes in flight per streamed body and direction before the sender waits for credit. */
  streamWindowBytes: 256 * KiB,
  /** What a chunk of a streamed body counts for beside its bytes: a window of single bytes took 500 MB and a second of the main thread. */
  chunkOverheadBytes: 512,
  /** Largest request head; Node answers 431 beyond it. */
  headBytes: 16 * KiB,
  /** Largest head of a function's response: what nginx (`proxy_buffer_size 16k`) and Node's clients take, with room for ours. */
  responseHeadBytes: 15 * KiB,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 300_000,
  /** How often Node looks for heads and requests that are overdue. */
  timeoutCheckMs: 5_000,
  /** Longer than nginx's upstream idle timeout (60 s), so that nginx never reuses a closing connection. */
  keepAliveTimeoutMs: 75_000,
  /** How often connections are looked at that may have been quiet for so long. */
  idleSweepMs: 5_000,
  /** How long a refused upload is read and dropped, so that its client sees the answer and no reset. */
  lingerMs: 2_000,
  /** How often a client that has ended its own side is looked for, while it waits for its answer. */
  halfOpenCheckMs: 250,
  /** A client that takes nothing of a file for this long is cut off. */
  responseIdleMs: 60_000,
  targetBytes: 8 * KiB,
  requestIdChars: 128,
  /** Beyond an invocation's deadline, how long its worker may take to see that the client left. */
  abortSlackMs: 100,
  /** Value of Retry-After in a 503. */
  retryAfterSeconds: 1,
} as const;

/** Bounds on one invocation. */
export const invocationLimits = {
  /** Default of the `timeoutMs` setting. */
  timeoutMs: 10_000,
  timeoutMsMax: 900_000,
  /** How long a worker may take to acknowledge an abort before its thread counts as blocked. */
  abortGraceMs: 50,
  /** How much longer when the thread did not compute meanwhile: it waits for a call, or for a CPU. */
  abortGraceMsMax: 500,
  /** Handlers that compute longer than this let what they answered leave before the next ones begin. */
  sliceMs: 1,
  /** As many answers leave a worker as one message. From 6 to 12 makes no difference; 4 gains half of it. */
  answersMax: 8,
  /** How long `waitUntil` promises may run after the response. */
  waitUntilMs: 30_000,
} as const;

/** Bounds on workers (threads) of one app host. */
export const workerLimits = {
  /** Idle threads kept warm for functions that have none: of an idle app, and of one whose threads are being taken. */
  reserveMin: 1,
  reserveMax: 4,
  /** Time without a thread being taken after which the reserve is `reserveMin` again. */
  reserveIdleMs: 60_000,
  /** How long a refill waits: starting a thread takes the CPUs that the one just taken needs for its first call. */
  refillDelayMs: 20,
  /** Threads of one app host, reserve included, unless `limits.threads` says less; no more than its memory carries. */
  threadsMax: 128,
  /** And no less, however small its memory: the reserve, one that serves, two that check a deployment. */
  threadsMin: 4,
  /** What an app host is reckoned to hold without threads, and one warm thread; see docs/scaling.md for what was measured. */
  hostMb: 80,
  threadMb: 16,
  /** Threads beyond that for boot checks, which must not depend on how busy the app is. */
  threadsUrgent: 4,
  /** Default of the `memoryMb` setting: V8 old generation of one thread. */
  memoryMb: 128,
  memoryMbMax: 4096,
  youngGenerationMb: 32,
  /**
   * What V8 begins a half of it with (1 is its own default), and for the first threads of an app whose memory may be
   * `hostLimits.roomyFromMb`: 4 to 11 % of the CPU of a JSON request for 5 MB a thread, once that has answered a thousand.
   */
  semiSpaceMb: 1,
  roomyThreads: 8,
  roomySemiSpaceMb: 4,
  /** Default of the `concurrency` setting: invocations at once in one worker. */
  concurrency: 50,
  concurrencyMax: 10_000,
  /** Default of the `maxWorkers` setting. */
  maxWorkers: 4,
  maxWorkersMax: 64,
  /** Invocations of one function that may wait for a worker. */
  queue: 1_000,
  /** Invocations of one app that may wait; when half of it is taken, only functions with less than their share may add. */
  appQueue: 4_000,
  /** How long an invocation may wait for a worker. */
  queueMs: 5_000,
  /**
   * A queue that has not been empty for this long takes in only what will wait no longer than this, or than one
   * invocation takes: so that an overload is over soon after its end.
   */
  queueStandingMs: 700,
  /** How often a queue looks for those that waited too long, and for workers that can take more. */
  queueTickMs: 10,
  /** Invocations taken from a queue before its pace is believed, and at least in one stretch. */
  queuePaceMin: 4,
  /** Its pace is that of the last one to two stretches of this length. */
  queuePaceMs: 500,
  /** How often the load of a function's workers is measured, while requests come. */
  loadSampleMs: 100,
  /** And how often while invocations run, whether or not others come. */
  watchMs: 200,
  /** Share of time in which a worker's event loop is at work, from which it counts as busy. */
  busyShare: 0.8,
  /** And from which, when nothing was heard of it, as stalled: it gets nothing new. */
  stalledShare: 0.95,
  /** A busy worker holds no more than it finishes in this time. */
  busyHoldMs: 300,
  /**
   * A worker that was busy in so many samples in a row is this much nicer than the main thread, which serves all functions (Linux).
   * Of 6 computing workers on 2 shared cores the main thread's loop was held up by 40 ms and more at p99; then by 9 to 28.
   */
  niceness: 5,
  niceSamples: 5,
  /** Invocations go together to one worker as long as all that it has takes no longer than this in its thread, */
  togetherMs: 0.5,
  /** and it has answered so lately. */
  quietMs: 2,
  /** Answers in one sample from which it tells what one of them takes. */
  answersMin: 8,
  /** How long somebody waits before a function whose workers are full, and answer, gets another. */
  growWaitMs: 10,
  /** Samples in a row that must tell the same before a function gets a worker for being busy. */
  busySamples: 2,
  /** Time from one such worker to the next. */
  growEveryMs: 300,
  /**
   * A function with database connections gets none for being busy while its threads stand in line for a core for this share
   * of the time; looks that are further apart than `cpuQueueMs` do not tell.
   */
  cpuQueueShare: 0.15,
  cpuQueueMs: 1_000,
  /** A function all of whose workers are stalled for this long gets another even when no core is free for it. */
  stalledMs: 1_000,
  /** Longest time that a deployment keeps the reserve from being refilled. */
  refillHeldMs: 1_000,
  /** How long a function's module may take to load. */
  loadMs: 10_000,
  /** Changed functions of a candidate that get their serving worker in the boot check already. */
  warmInCheck: 8,
  /** How long old workers may finish their invocations after a switch. */
  drainMs: 30_000,
  /** How long a thread may take to run its first line. */
  threadStartMs: 30_000,
  /** How long a terminated thread may take to be gone before the host counts as stuck. */
  terminateMs: 3_000,
  /** A worker without an invocation for this long is given back (never below `minWorkers`). */
  idleMs: 300_000,
  /** How long the only worker of a function is idle before another that has some may get its thread. */
  onlyWorkerIdleMs: 2_000,
  /**
   * Deployments a worker may live through when its function stays the same. Below
   * `buildLimits.releasesKept`: its source maps and late imports lie in the release it started from.
   */
  carryOversMax: 5,
  /** How often idle workers are looked for. */
  trimEveryMs: 30_000,
  /** Workers of a function that die in a row, without a response in between, until requests are refused; and in what time. */
  deathsMax: 5,
  deathsWindowMs: 60_000,
  /** How long they are refused before one is tried; doubled each time that it fails. */
  breakerMinMs: 1_000,
  breakerMaxMs: 30_000,
} as const;

/** Bounds on what one app may use; `limits` of fnrun.json sets them, docs/limits.md lists them. */
export const appLimits = {
  /** Default of `memoryMb`: this share of the machine's memory, at least `memoryMbDefaultMin`. */
  memoryShareOfMachine: 0.5,
  memoryMbDefaultMin: 512,
  /** An idle host has about 70 MB; one that cannot start helps nobody. */
  memoryMbMin: 128,
  memoryMbMax: 1024 * 1024,
  cpusMin: 0.05,
  cpusMax: 1024,
  /** Default of `processes`: child processes at once, for an app that may have any. */
  processes: 16,
  processesMax: 4_096,
  /** And at least, for its release command: tools start others. */
  commandProcesses: 64,
  /** Default of `openFiles`: sockets count too, two for a request through the gateway. */
  openFiles: 16_384,
  openFilesMin: 256,
  openFilesMax: 1_048_576,
  /** The reserve, one thread that serves, one that checks. */
  threadsMin: 4,
  /** Default of `logLinesPerSecond`. */
  logLinesPerSecond: 1_000,
  logLinesPerSecondMax: 100_000,
  /** Seconds' worth of lines that may come at once. */
  logBurstSeconds: 5,
  /** How often the number of lines over the rate is told in the log. */
  logDropNoteMs: 1_000,
  /** Default of `idleStopMs`. */
  idleStopMs: 900_000,
  idleStopMsMax: 7 * 24 * 3_600_000,
  /** Tasks of the kernel that a host, a worker (with those it starts itself) and a child process may have. */
  tasksOfHost: 64,
  tasksPerThread: 2,
  tasksPerProcess: 16,
  /** How often the daemon looks at memory and tasks of a host that is in no cgroup. */
  watchMs: 250,
  /** How often it looks for child processes, which takes a look at every process of the machine. */
  watchChildrenMs: 1_000,
  /** Processes of the machine that it looks at before it does something else: 0.2 ms. */
  processesPerTurn: 16,
  /** What the kernel may give a host in a cgroup beyond `memoryMb`, so that the daemon names the reason first. */
  memorySlackShare: 0.1,
  /** Period of a CPU quota. */
  cpuPeriodUs: 100_000,
} as const;

/** Bounds on WebSockets; docs/websocket.md. */
export const socketLimits = {
  /** Open and opening ones of one app host. */
  open: 8_192,
  /** Default of the `maxMessageBytes` setting: one message of a client. */
  messageBytes: 1 * MiB,
  messageBytesMax: 64 * MiB,
  /** What a message counts for beside its bytes, where bytes are bounded. */
  messageOverheadBytes: 128,
  /** Bytes of a client that its handler has not taken before its socket is read no further. */
  windowBytes: 256 * KiB,
  /** Bytes of a handler that its client has not taken before the socket is closed (1013). */
  bufferedBytes: 16 * MiB,
  /** Default of the `socketIdleMs` setting: without a message for this long, either way, a socket is closed (1000). */
  idleMs: 3_600_000,
  idleMsMin: 1_000,
  idleMsMax: 24 * 3_600_000,
  /** How often clients are pinged; below the 60 s after which nginx ends a silent connection. A silent one is dropped after two to three times that. */
  pingEveryMs: 25_000,
  /** How long a client may take to answer a close frame. */
  closeMs: 3_000,
  /** How often a host looks for a moment without a request to load what WebSockets need, and how many times before it takes any. */
  prepareEveryMs: 100,
  prepareLooks: 100,
  /** Text of a close frame (RFC 6455, section 5.5). */
  reasonBytes: 123,
} as const;

/** Bounds on app hosts and the daemon. */
export const hostLimits = {
  startMs: 10_000,
  /** How often one is looked at that has not started by then, because it stands in line for a CPU. */
  startLookMs: 500,
  /** How long a host may finish its requests when it is stopped. */
  stopMs: 10_000,
  /** And what goes on behind the last of them: `waitUntil`, listeners that were told that their WebSocket is closed. */
  behindMs: 3_000,
  /** Crashes in a row after which connections are refused at once instead of held. */
  crashesHeld: 3,
  /** Beyond `stopMs`, until the process is killed. */
  killSlackMs: 500,
  statsMs: 2_000,
  /** How often the daemon asks a host whether it lives, and what it does. */
  pingMs: 2_000,
  /** The least, for apps that stop soon when idle. */
  pingMsMin: 50,
  /** How long a host may take to answer. It is asked twice before it counts as stuck: the daemon itself may have slept. */
  pingAnswerMs: 2_500,
  /** One that stood in line for a CPU for that share of the time is asked on, for that long. */
  starvedShare: 0.5,
  starvedMs: 30_000,
  /** How long after its end what a host said last may take to be read. */
  hearOutMs: 1_000,
  /** How long a host that is replaced may finish what it has. */
  leaveMs: 30_000,
  /**
   * How long a host may finish what it has when another server takes over: longer than nginx keeps an idle connection (60 s).
   * And how long it has had no connection when it is taken for done: those that waited in its socket have come by then.
   */
  handoverMs: 75_000,
  leaveQuietMs: 1_000,
  /** How long a server that shall be replaced waits for deployments that are under way, */
  leaveDeploysMs: 60_000,
  /** How long the server that takes over may take from then on until it listens for every app, and how often that is looked at. */
  takeOverMs: 30_000,
  takeOverLookMs: 50,
  /** How often the server that has taken over looks whether the other one has ended. */
  goneLookMs: 500,
  /** And all of that together, with the time to stop. */
  leaveAllMs: 120_000,
  /** Hosts of one app that finish what they have beside the one that serves; beyond it the oldest is ended. */
  leavingMax: 2,
  /**
   * Handles of its socket that a host accepts from: libuv takes one connection from each in a turn of the event loop, which
   * takes 50 to 100 ms in a host with a thousand busy connections.
   */
  acceptHandles: 8,
  /** How often a host may be replaced for a thread that does not end: such a thread costs its memory and nothing else. */
  replaceEveryMs: 10_000,
  /** Ends of an app's processes that are remembered. */
  exitsKept: 10,
  /** Functions named as busy when a host ended. */
  busyNamed: 5,
  /** Rounds of killing what a dead host left behind: each finds what was started during the one before. */
  killRounds: 5,
  killRoundMs: 20,
  /** Rounds of trying to remove the cgroup of a host that ended: what was killed in it needs its time to be gone. */
  removeRounds: 250,
  /** A host that ran this long had a good start: its next crash is the first again. */
  healthyMs: 10_000,
  /** How often a stopping host closes connections that became idle. */
  drainSweepMs: 20,
  /** How long `fnrun dev` lets requests end after Ctrl-C before it ends the host. */
  devStopMs: 1_000,
  /** Boot check of a whole release. */
  bootCheckMs: 60_000,
  /** Connections held by the daemon while a host starts. */
  heldConnections: 10_000,
  restartBackoffMinMs: 50,
  restartBackoffMaxMs: 30_000,
  /** V8 young generation of a host's main thread, in MB: 25 → 22 µs of CPU per request when raised to 64. */
  semiSpaceMb: 64,
  /** What it begins with: nothing more for an idle app, up to 32 MB more and fewer collections for a busy one. */
  semiSpaceMinMb: 16,
  /** An app whose `memoryMb` is less is one whose memory counts for more than its CPU time. */
  roomyFromMb: 256,
  /**
   * One whose `memoryMb` is as much keeps memory that large bodies have left, up to `keptBytes` for each thread that had such;
   * buffers above `unkeptBufferBytes` go back to the kernel at once.
   */
  keepMemoryFromMb: 512,
  keptBytes: 32 * MiB,
  unkeptBufferBytes: 4 * MiB,
  controlBodyBytes: 1 * MiB,
  controlRequestMs: 15_000,
  /** The same for a request that may make an app, which waits for its database as well (`appDatabaseLimits.newAppMs`). */
  controlNewAppMs: 25_000,
  /** A rollback or redeploy over the control API: it waits for a boot check and warm workers. */
  controlSwitchMs: 120_000,
} as const;

/** When the threads of an app host let each other finish before they run: see host/scheduling.ts. */
export const schedulingLimits = {
  /** Requests per second, and for how long without any that computes, until they do. */
  perSecond: 1_000,
  steadyMs: 1_000,
  /** How often it is looked whether one computes, from then on. */
  lookMs: 25,
  /** A worker computes that was at work for this long and said nothing, */
  silentMs: 20,
  /** or for this share of a sample, with this much for each answer. */
  busyShare: 0.5,
  answerMs: 1,
  /** How long the program that changes the policy may take, and how often it is tried: threads may end while it goes through them. */
  changeMs: 5_000,
  changeTries: 10,
} as const;

/** Bounds on the gateway's way to the apps. */
export const gatewayLimits = {
  /** Requests and WebSockets at once per app; each has a connection of its own. */
  inFlightPerApp: 4_096,
  /** A connection to an app that carried nothing for this long is given up: the longest timeout of a function, and some. */
  upstreamIdleMs: invocationLimits.timeoutMsMax + 30_000,
  /** How long a connection to an app's socket may take, which is there at once, or refused. */
  connectMs: 10_000,
  /** Connections to an app that are kept while nothing uses them. */
  freeSocketsPerApp: 256,
  /** Shorter than an app host's keepAliveTimeoutMs, so that no request meets a closing connection. */
  freeSocketMs: 60_000,
  /** How long an app may take to answer a WebSocket upgrade. */
  upgradeMs: 30_000,
  /** A WebSocket that carried nothing for this long is given up; app hosts ping their clients more often. */
  socketIdleMs: 120_000,
  /** How long requests may go on when the server stops. */
  drainMs: 10_000,
  /** How long WebSockets may take to pass on how their apps ended them, which have ended by then. */
  closeMs: 2_000,
} as const;

/** Bounds on what `fnrun render mysql` writes and `fnrun doctor mysql` does; docs/mysql-server.md. */
export const databaseServerLimits = {
  /** The buffer pool at least, whatever the machine has. */
  poolMbMin: 64,
  /** Redo log at least, and at most beside half the pool: recovery after a crash reads it. */
  redoMbMin: 256,
  redoMbMax: 8_192,
  /** And at most while nobody knows how much an hour writes: it is space on the disk, too. */
  redoMbUnknown: 1_024,
  /** `innodb_io_capacity`, which is a quarter of what was measured. */
  ioCapacityMin: 200,
  ioCapacityMax: 2_000,
  /** Connections for the apps when their sum is not known; beside it come `databaseLimits.serverReserved`. */
  connectionsAssumed: 100,
  slowQueryMs: 200,
  /** A machine so small that MySQL goes without its performance schema. */
  smallMachineMb: 2_048,
  /** The test of the disk: it ends at the first of the two. */
  measureMs: 2_000,
  measureBytes: 64 * MiB,
  measureWriteBytes: 16 * KiB,
  /** Of the file that is written to, over and over. */
  measureFileBytes: 8 * MiB,
  /** How long asking a server program for its version, or to check a file, may take. */
  programMs: 20_000,
  /** Output of such a program that is read: MariaDB lists all its variables. */
  programOutputBytes: 2 * MiB,
  /** How long connecting to a server, and each question to it, may take. */
  connectMs: 5_000,
  queryMs: 10_000,
  /** How long a connection may take to end with a goodbye. */
  leaveMs: 1_000,
  /** The time of an answer is the median of so many. */
  pings: 7,
  /** Time between the two samples of a running server. */
  sampleMs: 1_000,
  /** Accounts that are looked at. */
  accounts: 1_000,
} as const;

/** Bounds on migrations; docs/migrations.md. `database.migrations` of fnrun.json sets the first three. */
export const migrationLimits = {
  /** Default of `statementTimeoutMs`: one statement. */
  statementMs: 60_000,
  /** Default of `timeoutMs`: all of one push, the wait for the lock included. */
  totalMs: 300_000,
  /** Default of `lockTimeoutMs`: the wait for others that migrate the same database. */
  lockMs: 30_000,
  msMax: 3_600_000,
  /** How long connecting, and each look at the table of what was applied, may take. */
  askMs: 5_000,
  /** How long a statement may take to end when it was killed; then it is not known whether it ran. */
  killMs: 10_000,
  files: 2_000,
  fileBytes: 4 * MiB,
  statementsPerFile: 20_000,
  nameChars: 150,
  /** What is kept of a server's error. */
  errorChars: 500,
} as const;

/** The database that `fnrun dev` starts; docs/dev.md. */
export const devDatabaseLimits = {
  /** Making its folder. */
  makeMs: 60_000,
  /** Until it answers; after a crash it reads its log first. */
  startMs: 60_000,
  connectMs: 2_000,
  /** Between two attempts to reach one that starts. */
  retryMs: 25,
  /** How long it may take to end by itself. */
  stopMs: 15_000,
  bufferMb: 32,
  connections: 151,
  /** Of a socket's path, with its final zero; on macOS there are 104. */
  socketPathBytes: 104,
} as const;

/** Bounds on what functions have of a database; docs/mysql.md. `database` of fnrun.json sets the first of each kind. */
export const databaseLimits = {
  /** Default of `maxConnections`: of one app, over all its workers, releases and processes. */
  maxConnections: 10,
  maxConnectionsMax: 10_000,
  /** Default of `acquireTimeoutMs`. */
  acquireMs: 2_000,
  acquireMsMax: 60_000,
  /** Default of `connectTimeoutMs`. */
  connectMs: 3_000,
  connectMsMax: 60_000,
  /** Default of `queryTimeoutMs`. */
  queryMs: 30_000,
  queryMsMax: 900_000,
  /** Default of `idleTimeoutMs`. */
  idleMs: 30_000,
  idleMsMax: 3_600_000,
  /** Databases beside that of DATABASE_URL. */
  namedMax: 8,
  /** Invocations of one worker that may wait for a connection. */
  waiting: 1_000,
  /** A statement ends this long before its invocation's deadline, so that the handler can still answer. */
  answerMs: 150,
  /** A connection that was idle for longer is asked whether it lives before it is used; and how long it may take to say so. */
  validateAfterMs: 1_000,
  pingMs: 500,
  /** How long taking back what a borrower left may take. */
  resetMs: 1_000,
  /** How long a worker may keep a connection that others wait for, while it has use for it: making one takes 1.4 ms. */
  holdMs: 50,
  /** How often holders are asked again for a connection, while others wait. */
  askEveryMs: 10,
  /** How long the server may take to close a connection that was given back, or whose statement was given up. */
  closeMs: 5_000,
  /** A close that took less time is one of a server with time to spare; and how long another is counted on. */
  closeQuickMs: 2,
  closeSettleMs: 50,
  /** How long a worker that ends in good order may take to close its connections. */
  endingMs: 200,
  /** How long connections of a thread that died are counted, when nobody can ask the server whether they are gone. */
  orphanMs: 1_000,
  /** The time between the moment that a process has closed connections and that another may open as many: a busy server counts them on. */
  settleMs: 100,
  /** How long a server that is replaced waits until its apps have given up half of their connections. */
  leaveMs: 2_000,
  /** How long after a change a process tells the daemon which connections it has. */
  reportMs: 50,
  /** How long they keep the app from asking: where they are all that it may have, one more is opened to do so then. */
  lendMs: 200,
  /** How often a worker looks for waits, statements and idle connections that are overdue. */
  sweepMs: 50,
  /** Prepared statements of one connection: at most, and the share of the server's that all of them may take. */
  statements: 256,
  statementsMin: 8,
  statementShare: 0.8,
  /** What servers allow unless told otherwise: statements in all, and connections. */
  serverStatements: 16_382,
  serverConnections: 151,
  /** Connections of a server that no app may have: for its operator. */
  serverReserved: 10,
  /** Connections of one preview at most; all of them together have at most half of their app's. */
  previewConnections: 2,
  /** How long the server may take to say how many connections it takes, when a deployment asks. */
  serverAskMs: 3_000,
  /** Times that `transaction` tries again after a deadlock or a lock wait timeout, and its first pause. */
  transactionRetries: 3,
  transactionPauseMs: 10,
  /** Pause between two tries to connect to a server that has too many connections. */
  connectPauseMs: 50,
  /** How often a worker tells its figures. */
  figuresMs: 500,
  /** Statements whose effect on a session is remembered. */
  judged: 500,
} as const;

/** Bounds in the configuration of nginx that is rendered; docs/nginx.md. */
export const nginxLimits = {
  /** Of one process, sockets to apps included. */
  workerConnections: 2_048,
  openFiles: 8_192,
  serverNames: 4_096,
  /** Connections to each app that one process keeps open. */
  keepAlive: 64,
  /** How long; shorter than `httpLimits.keepAliveTimeoutMs`, so that no request meets a closing connection. */
  keepAliveMs: 60_000,
  /** Of one client address: noted in the log, or refused. */
  requestsPerSecond: 50,
  requestBurst: 200,
  connections: 200,
  /** Default of `rateLimit.burst`, as a multiple of `requestsPerSecond`, and the most that each key of `rateLimit` may be. */
  burstFactor: 4,
  rateMax: 100_000,
  /** An app's longest invocation, and how much longer nginx waits between two reads; and at least (pings of WebSockets come more often). */
  readSlackMs: 30_000,
  readMsMin: 60_000,
  /** Names of one app, domains named with --domain, and networks with --trust-proxy. */
  names: 200,
} as const;

/** Domains, and what root does for a provisioned server; docs/domains.md. */
export const domainLimits = {
  /** Names added to one app. */
  perApp: 100,
  /** Bytes of `<home>/run/sync` and of an answer of the daemon. */
  requestBytes: 64,
  answerBytes: 16 * MiB,
  /** How often what root did is looked for while somebody waits for it. */
  outcomePollMs: 100,
  /** When root is asked again that has not done all; twice as long each time, about an hour together: then its timer comes. */
  askAgainMs: 60_000,
  asksMax: 7,
  /** How long one request of the control API waits for the outcome, and `fnrun domains add` as a whole. */
  outcomeWaitMs: 20_000,
  outcomeMs: 150_000,
  /** How long a push that changes the app's site waits for nginx to follow before it tells its URL, and then for certificates. */
  pushWaitMs: 15_000,
  pushCertificateMs: 5_000,
  /** From when on that is said. */
  certificateTellMs: 500,
  /** How long the daemon may take to answer root. */
  askMs: 30_000,
  /** Runs in a row for changes that came meanwhile, and until when another one begins; systemd ends it after 20 minutes. */
  runsMax: 5,
  rerunMs: 300_000,
  /** How often root looks for a new request while it gets certificates. */
  requestPollMs: 500,
  /** How long nginx may take to start processes with the new configuration. */
  reloadMs: 10_000,
  /** Validity of the certificate that nobody signed, in days; Let's Encrypt's have 90. */
  selfSignedDays: 397,
  /** A certificate is renewed when this share of its time is left. */
  renewalShare: 1 / 3,
  /** How long one certificate may take to be issued, and one question to the CA. */
  issueMs: 120_000,
  acmeRequestMs: 30_000,
  /** All of one run: others are for the next. */
  issueAllMs: 600_000,
  /** How long a certificate that has come waits for others of the same run before nginx reloads. */
  installEveryMs: 15_000,
  /** Names asked for in one run; Let's Encrypt allows 300 orders in three hours. */
  issuedPerRun: 50,
  /** Certificates for previews within `previewQuotaMs`: Let's Encrypt gives 50 in a week to all names of a domain. */
  previewCertificates: 20,
  previewQuotaMs: 7 * 24 * 3_600_000,
  /** Pauses after failed tries of a name; Let's Encrypt allows 5 in an hour. */
  retryMs: [15 * 60_000, 3_600_000, 4 * 3_600_000, 12 * 3_600_000, 24 * 3_600_000],
  /** When the CA says that it was asked too often and not for how long. */
  rateLimitedMs: 24 * 3_600_000,
  /** Tries in an hour that somebody may ask for beside those. */
  triesPerHour: 4,
  /** How long DNS may take to answer for one name. */
  lookupMs: 5_000,
} as const;

/** The service that runs the server; docs/systemd.md. */
export const serviceLimits = {
  /** Beyond `hostLimits.leaveAllMs` and `deployLimits.shutdownMs`: then systemd kills. */
  stopSeconds: 170,
  /** Of a server that another one has replaced: it is not to be started again. */
  replacedExitCode: 77,
  tasks: 16_384,
  openFiles: 131_072,
} as const;

/** Bounds on logs. */
export const logLimits = {
  /** One line's message; longer ones are cut and say so. */
  messageBytes: 16 * KiB,
  /** Lines a worker may have on their way to its host; further ones are counted as dropped. */
  pendingLines: 1_000,
  /** Bytes a host may have on their way to the daemon. */
  pendingBytes: 4 * MiB,
  fileBytes: 16 * MiB,
  filesKept: 3,
  /** Lines that `fnrun logs` shows unless told otherwise, and at most. */
  tailLines: 100,
  tailLinesMax: 10_000,
  /** Lines a follower may be behind; further ones are counted as dropped. */
  followLines: 1_000,
} as const;

/** Bounds on the environment variables of one app; docs/env.md. */
export const envLimits = {
  variables: 256,
  nameChars: 128,
  valueBytes: 32 * KiB,
  /** Names and values together; JSON may make six bytes of one, and the control API takes `hostLimits.controlBodyBytes`. */
  totalBytes: 128 * KiB,
  /** Characters of a value from which it is kept out of logs; below it, ordinary words and numbers would be taken for it. */
  redactedCharsMin: 6,
  /** And of one line of a value with several lines, such as a key in PEM. */
  redactedLineChars: 16,
  /** Versions of one app's environment that are kept out of its log at once: the live one, a candidate's, those that drain. */
  redactedVersions: 4,
} as const;

/** Bounds on a build and a deployment. */
export const buildLimits = {
  functions: 1_000,
  sourceFiles: 20_000,
  sourceFileBytes: 16 * MiB,
  sourceBytes: 256 * MiB,
  pathBytes: 1_024,
  buildMs: 120_000,
  npmInstallMs: 300_000,
  /** esbuild's process ends after this long without a build. */
  esbuildIdleMs: 300_000,
  /** Default of `builds.idleMs`: an app's build process ends after this long without a build. It holds 100 MB for twenty small functions. */
  processIdleMs: 300_000,
  processIdleMsMax: 24 * 3_600_000,
  /** How long a build process may take to answer at all. */
  processStartMs: 15_000,
  /** How long one that was started for a push waits for its build, which may wait for another deployment. */
  processWarmMs: 30_000,
  /** How long one may take to end an aborted build before it is killed, and beyond the deadline of the build itself. */
  processAbortMs: 1_000,
  processSlackMs: 5_000,
  /** Builds at once, on all cores, unless `builds.parallel` says less; and builds that may wait for one to end. */
  parallelMax: 64,
  waiting: 64,
  /** Default of `builds.memoryMb`: of a build process with esbuild, and of npm with all that it starts. */
  memoryMb: 2_048,
  memoryMbMin: 256,
  /** Default of `builds.processes`: processes at once, esbuild's and npm's own among them. */
  processes: 64,
  processesMin: 8,
  threads: 32,
  openFiles: 16_384,
  /** Lines that a build may say while it runs; a build says a dozen. */
  progressLines: 1_000,
  progressLineChars: 2_000,
  /** Of what a build process writes besides, kept to tell why it ended. */
  processOutputChars: 8 * KiB,
  processLinesShown: 6,
  /** Private /tmp of a jail: it is memory. */
  jailTmpBytes: 256 * MiB,
  /** How long the look may take whether a jail works here. */
  jailProbeMs: 10_000,
  /** npm's cache of one app; above it is emptied. */
  npmCacheBytes: 1024 * MiB,
  /** Groups of functions bundled at once. */
  parallelBundles: 8,
  /** Errors shown of one build. */
  errorsShown: 20,
  /** Of npm's output, kept while it runs, and lines of it shown when it fails. */
  npmOutputChars: 64 * KiB,
  npmLinesShown: 20,
  /** Bundled groups, and sets of installed packages that no release links to, kept by a cache; the oldest go first. */
  cachedGroups: 4_000,
  cachedInstalls: 8,
  /** Age at which what an interrupted build left behind is removed. */
  leftoverMs: 3_600_000,
  releasesKept: 10,
} as const;

/** Users of apps: `appUsers` of config.json. */
export const appUserLimits = {
  /** What setup chooses: above the users of the system and of systemd, below the ranges that are lent to containers. */
  first: 70_000,
  /** Below are those of the system and of people. */
  firstMin: 10_000,
  firstMax: 2_000_000_000,
  /** Default of `appUsers.count`. */
  count: 1_000,
  countMax: 100_000,
  /** How long removing or copying the files of one process may take. */
  filesMs: 60_000,
  /** How long the look may take whether it all works here. */
  probeMs: 10_000,
  /** Kept of what a program says that fails. */
  errorChars: 2_000,
} as const;

/** Bounds on apps, pushes and deployments. */
export const deployLimits = {
  appNameChars: 40,
  /** Path of a unix socket: `sun_path` has 108 bytes on Linux, 104 on macOS, NUL included. */
  socketPathBytes: process.platform === 'darwin' ? 103 : 107,
  /** Connections that may wait in the kernel for the daemon to accept them; capped by net.core.somaxconn. */
  socketBacklog: 4_096,
  /** Bytes of one push as sent (receive.maxInputSize). */
  pushBytes: 512 * MiB,
  /** Age from which a push's quarantined objects count as left behind. */
  quarantineMs: 3_600_000,
  /** Refs of one push. */
  pushRefs: 1_000,
  /** Name of the branch that deploys. */
  branchBytes: 200,
  /** One run of git on the server. */
  gitMs: 60_000,
  /** Output collected from one run of git; listings and blobs are streamed and have bounds of their own. */
  gitOutputBytes: 1 * MiB,
  /** Files of an export being written at once. */
  exportWrites: 16,
  /** How long git may take to move the ref after the push was accepted. */
  refMoveMs: 10_000,
  /** How often the ref is read while waiting, should the file watch stay silent. */
  refPollMs: 250,
  /** Deployments of one app that may wait for their turn. */
  laneWaiting: 16,
  /** How long one of them may wait. */
  laneWaitMs: 600_000,
  /** Silence after which the hook gives up: longer than the longest step, an npm install. */
  hookSilenceMs: 330_000,
  /** How often the hook looks whether git is still there. */
  hookParentMs: 250,
  /** How long git may take to read the hook's last lines. */
  hookFlushMs: 5_000,
  /** Lines of one deployment's account, and characters of one line. */
  accountLines: 1_000,
  /** Lines of it that tools may fill while they work. */
  accountNotes: 500,
  accountLineChars: 2_000,
  /** What must be free on the disk beside twice the files of a push, before it is built: its bundles, the state, logs. */
  diskReserveBytes: 64 * MiB,
  /** Least and most that `releasesKept` of config.json may be: workers live through `workerLimits.carryOversMax` deployments. */
  releasesKeptMin: 6,
  releasesKeptMax: 1_000,
  /** Deployments of one app that the store keeps. */
  deploymentsKept: 200,
  /** Label of a host name (RFC 1035): `branch--app`. */
  hostLabelChars: 63,
  /** Previews of one app, and how long one is kept that nobody asks for; config.json may say otherwise. */
  previewsPerApp: 20,
  previewsPerAppMax: 1_000,
  previewIdleMs: 7 * 24 * 3_600_000,
  previewIdleMsMin: 60_000,
  /** How often previews are looked at. */
  previewSweepMs: 60_000,
  /** What one preview may use at most; config.json may say otherwise. */
  previewMemoryMb: 256,
  previewThreads: 8,
  previewIdleStopMs: 60_000,
  /** Activations of one app between two runs of `git gc --auto`. */
  activationsPerGc: 50,
  /** One answer to a function's `check`, unless its timeoutMs is less; and how many are waited for at once. */
  checkRequestMs: 10_000,
  checksAtOnce: 4,
  /** All of them. */
  checksMs: 60_000,
  /** Default of `release.timeoutMs`, how long a command may take to end when it is told to, and its output. */
  releaseCommandMs: 60_000,
  releaseCommandGraceMs: 5_000,
  releaseCommandLines: 400,
  /** How long a new release is watched, how often it is looked at, and what counts as worse: see deploy/watch/verdict.ts. */
  watchMs: 60_000,
  watchEveryMs: 2_000,
  watchRequestsMin: 20,
  watchFailuresMin: 10,
  watchRateMin: 0.1,
  watchRateFactor: 5,
  watchRateFloor: 0.01,
  watchRateBefore: 0.5,
  watchCrashes: 3,
  /** How long everything may take to end when the daemon is asked to stop. */
  shutdownMs: 40_000,
} as const;

/** ssh keys, and what comes over ssh. */
export const keyLimits = {
  /** One public key as given; an RSA key of 16,384 bits has 2,800. */
  publicKeyBytes: 8_192,
  rsaBits: 3_072,
  nameChars: 60,
  /** Keys of one home: sshd reads all their lines at each login. */
  keys: 1_000,
  /** Apps, or branches, that one key names. */
  perKey: 200,
  branchChars: 200,
  /** A command as ssh sends it. */
  commandChars: 8_192,
  /** The arguments of a command that come on standard input. */
  requestBytes: 1 * MiB,
  /** How long these may take to arrive. */
  requestMs: 15_000,
  /** How often a command that has come over ssh looks whether anybody still waits for it. */
  hangUpProbeMs: 1_000,
  /** What is kept of ssh's own words, to tell what to do about them. */
  sshWordsChars: 4_096,
  /** How long ssh may take to end after Ctrl-C. */
  sshEndMs: 5_000,
} as const;

/** Setting up a server. */
export const setupLimits = {
  /** A program on the machine may take so long unless its step says otherwise. */
  commandMs: 180_000,
  /** Installing and upgrading packages may. */
  packagesMs: 1_800_000,
  /** And may wait so long for another apt, as at the first boot of a machine. */
  aptLockSeconds: 600,
  /** Package lists older than this are fetched before something is installed. */
  aptListsHours: 24,
  /** A change of sshd or of the firewall takes itself back after so long, unless a new login has succeeded by then. */
  undoSeconds: 180,
  /** Machines with less memory than this, and no swap, get a swap file: as large as the memory, within these bounds. */
  swapBelowMb: 2_048,
  swapMbMin: 1_024,
  swapMbMax: 2_048,
  /** Lines of a program that failed which are told. */
  lastWords: 8,
  /** What a program may print; and the command line that ssh is given, where the kernel takes 131,072 bytes. */
  outputBytes: 16 * MiB,
  scriptChars: 120_000,
  /** How long a login may take, and how long a silent connection is believed in: three times the seconds. */
  loginMs: 60_000,
  /** Before a login is tried again where the connection broke. */
  loginPauseMs: 1_000,
  connectSeconds: 15,
  aliveSeconds: 20,
  /** Beyond the deadline of a program that runs over ssh: the machine ends it first. */
  remoteSlackMs: 15_000,
  /** Copying a file to the machine: 100 MB at 1 Mbit/s. */
  uploadMs: 1_200_000,
  /** What a machine needs at least: one sold as 1 GB tells less; packages, fnrun twice and a swap file. */
  memoryMbMin: 900,
  diskMbMin: 3_000,
  /** Lines around each change that a plan shows, and of both texts together at most, beyond which it shows none. */
  diffContext: 2,
  diffLinesMax: 4_000,
  /** Unpacking fnrun and checking its sums; the server answering after its start, a deployment under way included; and what systemd may take beyond. */
  unpackMs: 300_000,
  serviceSeconds: 150,
  unitSlackSeconds: 30,
  /** Archives of fnrun that are kept on the side of the caller. */
  payloadsKept: 3,
  /** And what must be free on one that has fnrun. */
  diskMbMinAgain: 700,
  /** Memory is counted in steps of this: what the kernel leaves of it differs a little from boot to boot. */
  memoryStepMb: 64,
  /** Synced writes of 16 KiB that the disk of a database is measured with. */
  measuredWrites: 256,
  /** A restart of the database server may take: it writes what it has in memory. */
  databaseRestartMs: 300_000,
} as const;

/** `fnrun bench`. */
export const benchLimits = {
  /** Default of `--duration`: how long each rate is offered and measured, in seconds; and its bounds. */
  durationSeconds: 3,
  durationSecondsMin: 0.2,
  durationSecondsMax: 60,
  /** Rates that are offered at most, repeated ones included. */
  steps: 16,
  /** The search ends when the highest rate that holds and the lowest that does not are so close. */
  kneeWithin: 0.07,
  /** Default and most of `--connections`. */
  connections: 256,
  connectionsMax: 8_192,
  /** Most of `--max-rate`, and its default. */
  rateMax: 1_000_000,
  /** An answer may take so long; afterwards it counts as an error. */
  timeoutMs: 10_000,
  /** Requests that may wait for a connection, in seconds of the rate: with more the step ends, the rate does not hold. */
  backlogSeconds: 1,
  backlogMin: 200,
  /** Time at the begin of each step that does not count, as a share of its duration. */
  warmUpShare: 0.2,
  /** How long one connection alone, and then more and more, show what the server does at most. */
  probeMs: 1_000,
  /** Default of `--p99`: so many times the median of a request alone, and at least so many ms. */
  p99Factor: 5,
  p99Ms: 20,
  p99MsMax: 60_000,
  /** Of a body given by `--data`. */
  bodyBytes: 16 * MiB,
  /** Warnings and errors of the app that are shown. */
  logLines: 5,
} as const;

/** The databases that a server gives its apps; docs/mysql-server.md. */
export const appDatabaseLimits = {
  /** Seconds that a schema for a restore may be named after, from the present one on, until one is free. */
  schemaNames: 10,
  /** MySQL's bound on the name of a user; MariaDB takes more. */
  userChars: 32,
  /** How long connecting as the administrator, and each of his statements, may take. */
  connectMs: 5_000,
  statementMs: 30_000,
  /** How long a new app waits for its database: less than whoever makes it waits for the answer. */
  newAppMs: 10_000,
  /** `max_connections` is raised in steps of this, so that not every app changes it. */
  connectionsStep: 50,
} as const;

/** Backups and restores; docs/backup.md. */
export const backupLimits = {
  /** Days that backups are kept, unless `--keep-days` says otherwise. */
  keepDays: 14,
  keepDaysMax: 3_650,
  /** How long a dump, and loading one, may take. */
  dumpMs: 6 * 3_600_000,
  loadMs: 12 * 3_600_000,
  /** What must stay free on the disk beside a backup: the database is often on the same one, and stops when it is full. */
  reserveBytes: 128 * MiB,
  /** What is asked to be free beside it, as a multiple of the last one. */
  growth: 1.5,
  /** SQL shrinks to a sixth or less; so much of the data's size is asked to be free for a first backup. */
  firstShare: 0.5,
  gzipLevel: 4,
  /** What is kept of the end of a dump, where it says that it is whole, and of a program's words. */
  endBytes: 512,
  wordsChars: 2_000,
  /** Of each line of a dump, where names of owners are looked for. */
  lineStartBytes: 1_024,
  /** What a backup that was broken off has left is removed when it is older. */
  staleMs: 86_400_000,
} as const;

/** `fnrun doctor`: how long it looks, and from where on it speaks. */
export const doctorLimits = {
  /** Checks at once: sshd takes 10 sessions of one connection. */
  checksAtOnce: 4,
  /** One check. */
  checkMs: 60_000,
  /** What is shown of a program's words, and of a list of names. */
  wordsChars: 300,
  namesShown: 8,
  /** Age of the table of versions at which its age is told. */
  tableDays: 120,
  /** Age of apt's lists. */
  aptListsDays: 7,
  /** Share of a disk in use, and what must be free of it. */
  diskWarnShare: 0.85,
  diskFullShare: 0.95,
  diskFreeMb: 1_024,
  /** Share of the memory that must be available, and of time in which something may wait for it. */
  memoryLeftShare: 0.07,
  memoryPressure: 0.1,
  /** Machines with less memory need swap. */
  swapBelowMb: 4_096,
  swapUsedShare: 0.7,
  clockOffMs: 2_000,
  /** Days before a certificate ends: its renewal should have been, and must be. */
  certificateWarnDays: 20,
  certificateCriticalDays: 5,
  /** How long root's side may take to do what it was asked, and how often it runs by its timer at least; problems of it that are told. */
  syncMinutes: 15,
  syncEveryMinutes: 180,
  syncProblems: 5,
  /** Age of the newest backup, in hours: nightly, and a night that takes long. */
  backupHours: 36,
  /** Restarts of an app's process in the last hour that are told. */
  appEndsRecent: 3,
  /** Of all apps' releases on disk, in MB. */
  releasesMb: 10_240,
  /** Round trips, each the median of so many; what is told as slow, in ms. */
  roundTrips: 7,
  roundTripMs: 5_000,
  slowNginxMs: 50,
  slowDaemonMs: 100,
  slowDatabaseMs: 20,
  slowSshMs: 400,
} as const;
