/*
 * A feed of a site's own, as a model for Spin: src/changes/source_reader.ts and batch_queue.ts, with a registry that has
 * one page of one document, declared by its id. docs/model.md says what is left out; configurations.ts lists the macros.
 */

#ifndef STATES
#define STATES 3
#endif
#ifndef WRITES
#define WRITES 4
#endif
#define ROOM 3 /* messages on their way from the source */
#define LIMIT 2 /* changes that may wait in the queue */
#define TOKEN 10
#define OTHER 9 /* a change of another document */
#define BIT(s) (1 << (s))

/* Kinds of events, by the numbers of configurations.ts. */
#define WRITTEN 0
#define LOST 1
#define STREAMED 2
#define PROBED 3
#define RESET 5
#define REFUSED 6
#define OVERFLOWED 13
#define RECONNECTED 23

#ifdef WATCHED
byte watch;
bit met;
c_decl { static int eventSeen[32]; static int eventsLeft = WANTED; };
#define WATCHING c_expr { !eventSeen[now.watch] } &&
#define EVENT(k) if :: watch == k -> met = 1 :: else fi
#define ANSWERED \
  c_code { \
    if (now.met && !eventSeen[now.watch]) { \
      eventSeen[now.watch] = 1; \
      printf("reached %d\n", now.watch); \
      fflush(stdout); \
      if (--eventsLeft == 0) exit(0); \
    } \
  }
#else
#define WATCHING
#define EVENT(k) skip
#define ANSWERED skip
#endif

/* The source, and the client that listens to it. */
byte winner = 1;
byte written;
bit listening; /* the client has a session, so that what is published reaches it */
bit foreign; /* it is another session than the one through which the first token came back */
byte wire[ROOM]; /* in order: a state, or the token */
bit tokenOut; /* the token has been sent, and not reached the source */

/* `Connection`. */
bit connected;
bit proved;
bit awaited;
bit identified;

/* `BatchQueue`. */
byte queued; /* how many changes wait */
bit ownQueued; /* whether one of them is of the document */
bit queueReset;
bit queueLive;
bit queueLost = 1; /* as after a first attempt that fails */
bit pending;

/* The registry. */
bit started, live;
bit valid;
byte copies;
bit open, changed;
byte reading; /* 0: no handler; 1: its lease is taken; 2: it has read */
byte read;

/* The promise: winners since the contact of the registry, of the queue, and since the token was sent. */
byte current, proven, asked;
bit told;

byte i; /* scratch, zero between steps */

inline append(message) {
  i = 0;
  do
  :: i < ROOM - 1 && wire[i] != 0 -> i++
  :: else -> break
  od;
  wire[i] = message;
  i = 0
}

inline shift() {
  i = 0;
  do
  :: i < ROOM - 1 -> wire[i] = wire[i + 1]; i++
  :: else -> break
  od;
  wire[ROOM - 1] = 0;
  i = 0
}

inline clearWire() {
  i = 0;
  do
  :: i < ROOM -> wire[i] = 0; i++
  :: else -> break
  od;
  i = 0
}

/* `lose` of the connection: the loss is in the queue when it returns. */
inline lose() {
  connected = 0; proved = 0; awaited = 0; identified = 0; foreign = 0; asked = 0;
  listening = 0; tokenOut = 0;
  clearWire();
  if
  :: !queueLost -> queueLive = 0; queueLost = 1; pending = 1
  :: else
  fi;
  EVENT(LOST)
}

/* `#prove`, and `prove` of the queue. */
inline prove() {
#ifdef WITHOUT_SENT
  proven = BIT(winner);
#else
  proven = asked;
#endif
  asked = 0;
  queueLive = 1; queueLost = 0; pending = 1;
#ifndef WITHOUT_CONNECTED_RESET
  queueReset = queueReset || !proved;
#endif
  proved = 1;
  EVENT(PROBED)
}

inline receive() {
  if
  :: awaited ->
    awaited = 0;
    if
    :: !identified -> identified = 1; foreign = 0
    :: else
    fi;
    if
#ifndef WITHOUT_SAME_CONNECTION
    :: foreign -> lose()
#endif
    :: else -> prove()
    fi
  :: else
  fi
}

/* `push` of the queue. */
inline push(message) {
  if
  :: queued == LIMIT ->
    queued = 0; ownQueued = 0;
#ifndef WITHOUT_OVERFLOW_RESET
    queueReset = 1;
#endif
    EVENT(OVERFLOWED)
  :: else
  fi;
  queued++;
  ownQueued = ownQueued || message != OTHER;
  pending = 1
}

inline voidAll() {
  valid = 0; copies = 0; open = 0; changed = 0
}

/* `apply` of the subscription: the reset, the changes, the state. */
inline apply() {
  if
  :: queueReset || !started -> EVENT(RESET); voidAll()
  :: else
  fi;
  started = started || queueLive;
  if
  :: ownQueued -> valid = 0; copies = 0; changed = open; EVENT(STREAMED)
  :: else
  fi;
  queued = 0; ownQueued = 0; queueReset = 0; pending = 0;
  live = queueLive;
  told = queueLive;
  if
  :: queueLive -> current = proven
  :: else
  fi
}

#ifdef WALK
/* What can be seen of the library after each step. */
#define OBSERVED printf("= %d %d %d %d %d\n", live, valid, copies, told, current)
#else
#define OBSERVED skip
#endif

#define WRITE(s) \
  :: d_step { WATCHING (written < WRITES && winner != s && wire[ROOM - 1] == 0) -> \
    printf("- the document is written: %d\n", s); \
    written++; winner = s; \
    current = current | BIT(s); proven = proven | BIT(s); asked = asked | (awaited -> BIT(s) : 0); \
    if :: listening -> append(s) :: else fi; \
    EVENT(WRITTEN); OBSERVED }
#define READ(s) \
  :: d_step { WATCHING (reading == 1 && winner == s) -> printf("- the handler reads: %d\n", s); \
    read = s; reading = 2; OBSERVED }

init {
#ifdef WATCHED
  if
  :: ((WATCHED >> 0) & 1) -> watch = 0
  :: ((WATCHED >> 1) & 1) -> watch = 1
  :: ((WATCHED >> 2) & 1) -> watch = 2
  :: ((WATCHED >> 3) & 1) -> watch = 3
  :: ((WATCHED >> 5) & 1) -> watch = 5
  :: ((WATCHED >> 6) & 1) -> watch = 6
  :: ((WATCHED >> 13) & 1) -> watch = 13
  :: ((WATCHED >> 23) & 1) -> watch = 23
  fi;
#endif
  do
  WRITE(1)
  WRITE(2)
  WRITE(3)
  :: d_step { WATCHING (listening && wire[ROOM - 1] == 0) -> printf("- another document is written\n");
      append(OTHER); OBSERVED }
  :: d_step { WATCHING (!connected) -> printf("- the source is connected\n");
      connected = 1; listening = 1; OBSERVED }
  :: d_step { WATCHING (connected && !awaited) -> printf("- a token is sent\n");
      awaited = 1; tokenOut = 1; asked = BIT(winner); OBSERVED }
  :: d_step { WATCHING (tokenOut && listening && wire[ROOM - 1] == 0) -> printf("- the token reaches the source\n");
      tokenOut = 0; append(TOKEN); OBSERVED }
  :: d_step { WATCHING (connected && wire[0] != 0 && wire[0] != TOKEN) -> printf("- a change arrives: %d\n", wire[0]);
      push(wire[0]); shift(); OBSERVED }
  :: d_step { WATCHING (connected && wire[0] == TOKEN) -> printf("- the token comes back\n");
      shift(); receive(); OBSERVED }
  :: d_step { WATCHING (connected) -> printf("- the source is lost\n"); lose(); OBSERVED }
  /* The client connects anew without a word. */
  :: d_step { WATCHING (connected && listening) -> printf("- the client drops its session\n");
      listening = 0; clearWire(); OBSERVED }
  :: d_step { WATCHING (connected && !listening) -> printf("- the client has another session\n");
      listening = 1; foreign = identified; EVENT(RECONNECTED); OBSERVED }
  :: d_step { WATCHING (pending) -> printf("- a batch is applied\n"); apply(); OBSERVED }
  :: d_step { WATCHING (reading == 0) -> printf("- the handler begins\n"); open = 1; changed = 0; reading = 1; OBSERVED }
  READ(1)
  READ(2)
  READ(3)
  :: d_step { WATCHING (reading == 2) ->
      if
      :: open && !changed -> printf("- the handler registers\n");
        /* The tag is kept where nothing has changed. */
        copies = BIT(read) | ((valid && live) -> copies : 0); valid = 1
      :: else -> printf("- the handler is refused\n"); EVENT(REFUSED)
      fi;
      open = 0; changed = 0; read = 0; reading = 0; OBSERVED }
  :: d_step { WATCHING (valid && live) -> printf("- the page is answered\n");
      assert(told);
      assert((copies & ~current) == 0); /* the promise */
      ANSWERED; OBSERVED }
  od
}
