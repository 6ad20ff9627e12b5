/*
 * The consistency protocol, as a model for Spin. docs/model.md says what it leaves out.
 *
 * Everything is chosen by macros, which tests/model/configurations.ts lists: sizes, what may happen, and which rule is
 * left out (WITHOUT_...). Each inline is named after the function that it stands for. One step of the model is one step
 * of the library between two points at which anything else may happen.
 */

/* Sizes. */
#ifndef DOCS
#define DOCS 1 /* documents, 0 and 1 */
#endif
#ifndef STATES
#define STATES 3 /* a document is absent (0) or at one of these; a state is a revision */
#endif
#ifndef WRITES
#define WRITES 3
#endif
#ifndef HANDLERS
#define HANDLERS 1 /* that may run at once */
#endif
#ifndef FEEDS
#define FEEDS 1 /* with two, each document is in a database of its own */
#endif
#ifndef SHARDS
#define SHARDS 1 /* with two, each document is in a shard of its own */
#endif

/* Pages: which documents a page shows (a mask), and how it declares them. Handler 1 builds page 1 where there are two. */
#define DERIVED 0 /* each document with its revision, so that its tag is derived */
#define BARE 1 /* each document by its id, so that its tag is random */
#define LIST 2 /* the collection alone, which each change of a document touches */
#ifndef PAGES
#define PAGES 1
#endif
#ifndef SHOWS0
#define SHOWS0 1
#endif
#ifndef SHOWS1
#define SHOWS1 1
#endif
#ifndef KIND0
#define KIND0 DERIVED
#endif
#ifndef KIND1
#define KIND1 BARE
#endif

#if KIND0 == LIST
#define GROUPS (DOCS + 1)
#define HAS_LIST
#else
#define GROUPS DOCS
#endif

#define NO_DOC DOCS
#define SPANS (FEEDS * SHARDS) /* numbers that make up all positions */
#define NOW HANDLERS /* what a lease would hold that was taken now */

#define BIT(s) (1 << (s))
#define FEED(d) ((FEEDS == 2) -> (d) : 0)
#define SPAN(d) ((FEEDS * SHARDS == 2) -> (d) : 0)
#define OF_FEED(d, f) (FEEDS == 1 || (d) == (f))
#define PAGE(l) ((PAGES == 2) -> (l) : 0)
#define SHOWS(p) (((p) == 0) -> SHOWS0 : SHOWS1)
#define KIND(p) (((p) == 0) -> KIND0 : KIND1)
#define DEPENDS(p, g) ((KIND(p) == LIST) -> ((g) == DOCS) : ((SHOWS(p) >> (g)) & 1))

#ifdef CONFLICTS
/* The last state has the revision of state 1, and another losing conflict. */
#define REV(s) (((s) == STATES) -> 1 : (s))
#else
#define REV(s) (s)
#endif
/* The revision that a page declares of what it has read. */
#define DECLARED(p, s) ((KIND(p) == DERIVED) -> REV(s) : 0)

/* --- What is watched for: each kind of event must precede an answer. --- */

#define WRITTEN 0
#define LOST 1
#define STREAMED 2
#define PROBED 3
#define REPEATED 4
#define RESET 5
#define REFUSED 6
#define RECREATED 7
#define PURGED 8
#define ROLLED_BACK 9
#define LAGGED 10
#define SETTLED 11
#define REPLAYED 12
#define OVERFLOWED 13
#define RESTORED 14
#define CLOSED 15
#define INVALIDATED 16
#define RESTARTED 17
#define THREW 18
#define KEPT_DOC 19
#define CONFLICTED 20
#define SUPERSEDED 22
#define BROKEN_OFF 21

#ifdef WATCHED
byte watch;
bit met;
c_decl { static int eventSeen[32]; static int eventsLeft = WANTED; };
/* No need to go on once the event has preceded an answer. */
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

/* --- The database --- */

byte winner[DOCS] = 1;
byte seq[DOCS]; /* of the document's row; 0: it has none */
byte last[SPANS];
byte history[DOCS]; /* masks */
byte written;
bit incarnation[FEEDS];
bit purges[FEEDS];

#ifdef ROLLBACK
bit backedUp, rolledBack;
bit backupPurges;
byte backupWinner[DOCS], backupSeq[DOCS], backupLast[SPANS], backupHistory[DOCS];
byte lost[DOCS]; /* revisions that no restored file has: a history that repeats itself is a known limit */
#endif

#ifdef REPLICAS
byte stale[DOCS]; /* what a replica that lags may still answer */
byte doomed[DOCS]; /* of these, what a report has superseded: it is gone once that has settled */
byte coming[DOCS]; /* what other nodes have, and the followed one has not */
#endif

#ifdef KEPT
byte kept[DOCS]; /* what a handler may have read since everything was void */
#endif

/* --- The promise. Masks of states that are right to confirm. --- */

byte current[DOCS]; /* winners since the contact of the registry */
byte asked[DOCS]; /* winners since the last request of the probe that is under way */
bit told[FEEDS]; /* whether the feed's last word was that it is live */
#ifdef SITE
byte own[DOCS] = 255; /* winners since the last write of this process that was answered */
byte ownPending[DOCS];
bit answering[DOCS]; /* a write is in the database, and its response has not been sent */
#endif
#ifdef RESTART
bit excused; /* files were restored, and restart() has not been called */
#endif

/* --- The reader of each feed --- */

#define IDLE 0
#define FIRST 1 /* the first probe of a connection */
#define FOLLOWING 2
#define AGAIN 3 /* a later probe */
#define CLOSED_READER 4
#define PAGE_DUE 0
#define PAGE_ASKED 1
#define PAGE_ANSWERED 2
#define IDENTITY_DUE 3

byte phase[FEEDS];
byte step[FEEDS];
bit begun[FEEDS]; /* there is a cursor */
bit isLost[FEEDS];
byte since[SPANS];
byte anchorDoc[FEEDS] = NO_DOC;
byte anchorRev[FEEDS];
byte anchorSeq[SPANS];
byte anchorSince[SPANS];
#if DOCS == 2 && FEEDS == 1
/* Where the anchor is the last row of two, the row before it is known as well: the other document, at this revision. */
#define TWO_KNOWN
byte alsoRev[FEEDS];
byte soughtAlso[FEEDS]; /* by the probe; 0: none is known, or it has come */
bit streamAlso[FEEDS]; /* sought by the stream */
byte also; /* scratch: the row of the page that it is */
#define setAlso(f, rev) alsoRev[f] = (rev)
#define ALSO_CAME (also != NO_DOC)
#define IS_ALSO(n) (also == (n))
#else
#define setAlso(f, rev) skip
#define ALSO_CAME false
#define IS_ALSO(n) false
#endif
bit knownIncarnation[FEEDS];
bit knownPurges[FEEDS];
bit resuming[FEEDS]; /* the reader begins at the position of the subscription */

/* The probe: its recognition, and where it is. */
byte soughtDoc[FEEDS] = NO_DOC;
byte soughtRev[FEEDS];
byte soughtSeq[SPANS];
bit came[FEEDS];
bit trusted[FEEDS];
bit probeNews[FEEDS];
bit newest[FEEDS]; /* the anchor is the newest row of the database, and the last page is read once more */
byte probeSince[SPANS];
/* A page: at most one row a document. */
byte rows[FEEDS];
byte rowDoc[FEEDS * 2];
byte rowRev[FEEDS * 2];
byte rowSeq[FEEDS * 2];
bit complete[FEEDS];
#ifdef REPLICAS
byte superseding[DOCS]; /* what the row of the page or of the stream supersedes */
#endif

/* The live stream, with one row on its way. */
bit isOpen[FEEDS];
bit isDead[FEEDS];
bit isVerified[FEEDS];
bit sought[FEEDS]; /* the known row has not come */
byte streamSeq[SPANS]; /* the position of the known row when the stream was opened */
#ifdef WITHOUT_RENEWAL
#define OWN_STREAM_ANCHOR
#endif
#ifdef WITHOUT_RENEWAL_AFTER_REPEATED
#define OWN_STREAM_ANCHOR
#endif
/* The known row itself is the cursor's anchor as long as a stream does not outlive a probe that moves it. */
#ifdef OWN_STREAM_ANCHOR
byte streamDoc[FEEDS];
byte streamRev[FEEDS];
#define STREAM_DOC(f) streamDoc[f]
#define STREAM_REV(f) streamRev[f]
#else
#define STREAM_DOC(f) anchorDoc[f]
#define STREAM_REV(f) anchorRev[f]
#endif
byte streamSince[SPANS];
byte onItsWay[FEEDS] = NO_DOC;
byte onItsWayRev[FEEDS];
byte onItsWaySeq[SPANS];
#ifdef WALK
/*
 * A stream that brings other rows before the anchor is doubted, and one probe follows at once. Where no walk is compared,
 * that is left out: a probe may come at any time.
 */
bit mayDoubt[FEEDS];
#endif

/* --- The registry --- */

bit live[FEEDS];
bit started[FEEDS];
#ifdef SNAPSHOT
#define POSITIONS
#endif
#ifdef CLOSE
#define POSITIONS
#endif
#ifdef RESTART
#define POSITIONS
#endif
#ifdef POSITIONS
byte position[SPANS];
bit positionIncarnation[FEEDS];
bit positionPurges[FEEDS];
#endif
bit valid[PAGES];
byte copies[PAGES * DOCS]; /* the states of all copies that have the tag of the entry */
#define NOTHING 0
#define OTHERWISE 15
byte declared[GROUPS];
#define NO_REPORT 0
#define UNKNOWN 14
byte report[GROUPS];

/* The change log. What a remembered change means to a lease is a set of flags: sequence numbers are only compared. */
#define CHANGED 1 /* changedAt > lease.sequence */
#define TOLD 2 /* sequence > lease.sequence */
#define SETTLING 4 /* its last report came within replicaLag before the lease, or after it */
#define ANOTHER 8 /* and so did another revision */
#define SITE_SETTLING 16 /* the same of a write through the site */
bit open[HANDLERS];
bit remembered[GROUPS];
byte repeated[GROUPS];
byte lastRev[GROUPS]; /* of its last report */
byte flags[(HANDLERS + 1) * GROUPS];
bit allSettling[HANDLERS + 1];

/* --- Handlers --- */

byte reading[HANDLERS]; /* 0: none runs; else 1 + the document that is read next; DOCS + 1: all are read */
byte read[HANDLERS * DOCS];

#ifdef SNAPSHOT
bit saved, restored;
bit savedValid[PAGES];
byte savedCopies[PAGES * DOCS];
bit lagUnknown; /* no batch has come since a process began with a snapshot that does not say how long changes settle */
bit sameTag[PAGES]; /* the entry still has the tag that was saved */
byte savedPosition[SPANS];
bit savedIncarnation[FEEDS];
bit savedPurges[FEEDS];
#endif

/* Scratch, zero between steps: a breadth-first search takes no hidden variables. */
byte i, j, n;
byte faulty;
byte gapped;
byte exact;
byte unmoved;
byte isAgain;
byte refusal;
byte any;
byte first;
byte before[SPANS];
byte after[SPANS];
byte was;

#define isLive (live[0] && live[FEEDS - 1])
#define FLAGS(l, g) flags[(l) * GROUPS + (g)]

/* Positions: one number, one for each shard, or one for each feed. */
#if SHARDS == 2
#define copyPosition(f, to, from) to[0] = from[0]; to[1] = from[1]
#define clearPosition(f, to) to[0] = 0; to[1] = 0
#define DIFFERS(f, a, b) (a[0] != b[0] || a[1] != b[1])
#else
#define copyPosition(f, to, from) to[f] = from[f]
#define clearPosition(f, to) to[f] = 0
#define DIFFERS(f, a, b) (a[f] != b[f])
#endif

/* === src/registry/change_log.ts === */

/* Drops changes that can conflict with no lease that is open or may still be taken. */
inline forget() {
  i = 0;
  do
  :: i < GROUPS ->
    any = FLAGS(NOW, i) & (SETTLING | SITE_SETTLING);
#ifndef WITHOUT_REMEMBERING
    j = 0;
    do
    :: j < HANDLERS -> any = any | (open[j] -> FLAGS(j, i) & (TOLD | SETTLING | SITE_SETTLING) : 0); j++
    :: else -> break
    od;
#endif
    if
    :: any == 0 ->
      remembered[i] = 0; repeated[i] = 0; lastRev[i] = 0;
      j = 0;
      do
      :: j <= HANDLERS -> FLAGS(j, i) = 0; j++
      :: else -> break
      od
    :: else
    fi;
    i++
  :: else -> break
  od
}

/* Records a change of every group: open leases are void. */
inline invalidateAll() {
  i = 0;
  do
  :: i < GROUPS -> remembered[i] = 0; repeated[i] = 0; lastRev[i] = 0; i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < (HANDLERS + 1) * GROUPS -> flags[i] = 0; i++
  :: else -> break
  od;
#ifndef WITHOUT_BROKEN_LEASES
  i = 0;
  do
  :: i < HANDLERS -> open[i] = 0; allSettling[i] = 0; i++
  :: else -> break
  od;
#endif
#ifdef REPLICAS
#ifndef WITHOUT_SETTLING_FLOOR
#ifndef WITHOUT_SETTLING
  allSettling[NOW] = 1;
#endif
#endif
  i = 0;
  do
  :: i < DOCS -> doomed[i] = doomed[i] | stale[i]; i++
  :: else -> break
  od
#endif
}

#ifdef WALK
/* The first batch says that there are replicas. Before, nothing is answered, and what is registered is void with it. */
bit lagKnown;
#define LAG_IS_KNOWN lagKnown
#else
#define LAG_IS_KNOWN true
#endif

inline noteReport(l, g, rev, isSame, bySite) {
  if
  :: !LAG_IS_KNOWN
  :: LAG_IS_KNOWN && (bySite) -> FLAGS(l, g) = FLAGS(l, g) | SITE_SETTLING
  :: else ->
    if
    :: !isSame && (FLAGS(l, g) & SETTLING) -> FLAGS(l, g) = FLAGS(l, g) | ANOTHER
    :: !isSame && !(FLAGS(l, g) & SETTLING) -> FLAGS(l, g) = FLAGS(l, g) & (255 - ANOTHER)
    :: else
    fi;
    FLAGS(l, g) = FLAGS(l, g) | SETTLING
  fi
}

inline record(g, rev, isRepeated, bySite) {
  any = 0;
  i = 0;
  do
  :: i < HANDLERS -> any = any | open[i]; i++
  :: else -> break
  od;
#ifdef WITHOUT_UNKNOWN_GROUPS
  /* Only changes of groups that an entry depends on are recorded. */
  if
  :: (DEPENDS(0, g) && valid[0]) || (DEPENDS(PAGES - 1, g) && valid[PAGES - 1])
  :: else -> any = 2
  fi;
#endif
  if
#ifdef WITHOUT_UNKNOWN_GROUPS
  :: any == 2
#endif
#ifndef REPLICAS
  /* It can conflict with no lease, now or later. */
  :: any == 0 && !remembered[g] -> forget()
#endif
  :: else ->
    isAgain = isRepeated && (repeated[g] == 0 || repeated[g] == (rev));
    remembered[g] = 1;
    repeated[g] = (isAgain -> (rev) : 0);
    i = 0;
    do
    :: i < HANDLERS ->
      if
      :: open[i] -> FLAGS(i, g) = FLAGS(i, g) | TOLD | (isAgain -> 0 : CHANGED)
      :: else
      fi;
      i++
    :: else -> break
    od;
#ifdef REPLICAS
#ifndef WITHOUT_SETTLING
#ifdef WITHOUT_SETTLING_REPEATED
    if :: !(isRepeated) ->
#endif
#ifdef WITHOUT_SETTLING_WRITE
    if :: !(bySite) ->
#endif
    was = ((rev) != 0 && lastRev[g] == (rev));
    i = 0;
    do
    :: i <= HANDLERS ->
      if
      :: i == NOW || open[i] -> noteReport(i, g, rev, was, bySite)
      :: else
      fi;
      i++
    :: else -> break
    od;
    if
    :: !(bySite) -> lastRev[g] = (rev)
    :: else
    fi;
#ifdef WITHOUT_SETTLING_WRITE
    :: else fi;
#endif
#ifdef WITHOUT_SETTLING_REPEATED
    :: else fi;
#endif
#endif
#endif
    forget();
#ifdef OVERFLOW
    /* There is room for one change. */
    if
    :: remembered[0] + remembered[GROUPS - 1] == 2 && GROUPS > 1 ->
      EVENT(OVERFLOWED);
#ifdef WITHOUT_OVERFLOW_FLOOR
      /* The older one is forgotten instead. */
      i = 0;
      do
      :: i < GROUPS ->
        if
        :: i != (g) ->
          remembered[i] = 0; repeated[i] = 0; lastRev[i] = 0;
          j = 0;
          do
          :: j <= HANDLERS -> FLAGS(j, i) = 0; j++
          :: else -> break
          od
        :: else
        fi;
        i++
      :: else -> break
      od
#else
      invalidateAll()
#endif
    :: else
    fi
#endif
  fi
}

/* Whether a response may be older than what is known by now: sets `refusal`. */
inline conflict(l) {
#ifdef WITHOUT_LEASE
  refusal = (!open[l] || allSettling[l]);
#else
  refusal = (!open[l] || allSettling[l]);
#endif
  i = 0;
  do
  :: i < GROUPS ->
    if
    :: DEPENDS(PAGE(l), i) && remembered[i] ->
      was = DECLARED(PAGE(l), read[l * DOCS + i % DOCS]);
      was = ((i < DOCS) -> was : 0);
#ifndef WITHOUT_LEASE
      refusal = refusal || (FLAGS(l, i) & CHANGED) != 0;
#endif
#ifndef WITHOUT_LEASE_REPEATED
      refusal = refusal || ((FLAGS(l, i) & TOLD) != 0 && repeated[i] != was);
#endif
      if
      :: FLAGS(l, i) & SITE_SETTLING -> refusal = 1
      :: else
      fi;
      if
      :: FLAGS(l, i) & SETTLING ->
#ifdef WITHOUT_SETTLING_UNDECLARED
        refusal = refusal || (was != 0 && lastRev[i] == 0);
#else
        refusal = refusal || was == 0 || lastRev[i] == 0;
#endif
#ifndef WITHOUT_REPORTED_REVISIONS
        refusal = refusal || (was != 0 && lastRev[i] != 0 && lastRev[i] != was);
#endif
#ifndef WITHOUT_ANOTHER_REVISION
        refusal = refusal || (FLAGS(l, i) & ANOTHER) != 0;
#endif
      :: else
      fi
    :: else
    fi;
    i++
  :: else -> break
  od
}

inline takeLease(l) {
  open[l] = 1;
#ifdef WITHOUT_SAVED_LAG
  allSettling[l] = allSettling[NOW] && !lagUnknown;
#else
  allSettling[l] = allSettling[NOW] && LAG_IS_KNOWN;
#endif
  i = 0;
  do
  :: i < GROUPS -> FLAGS(l, i) = FLAGS(NOW, i); i++
  :: else -> break
  od
}

inline close(l) {
  if
  :: open[l] ->
    open[l] = 0; allSettling[l] = 0;
    i = 0;
    do
    :: i < GROUPS -> FLAGS(l, i) = 0; i++
    :: else -> break
    od;
    forget()
  :: else -> allSettling[l] = 0
  fi
}

/* === src/registry/entry_store.ts, group_table.ts, report.ts === */

#ifdef WITHOUT_REPORTS_AFTER_ENTRIES
/* A void entry stays until a look-up meets it; with the last one, the group leaves. */
bit lingering[PAGES];
#define linger(p) lingering[p] = lingering[p] || valid[p]
inline lookUp(l) {
  if
  :: isLive && lingering[PAGE(l)] ->
    lingering[PAGE(l)] = 0;
    i = 0;
    do
    :: i < GROUPS ->
      if
      :: DEPENDS(PAGE(l), i) && !(DEPENDS(0, i) && (valid[0] || lingering[0])) &&
          !(DEPENDS(PAGES - 1, i) && (valid[PAGES - 1] || lingering[PAGES - 1])) -> report[i] = NO_REPORT
      :: else
      fi;
      i++
    :: else -> break
    od
  :: else
  fi
}
#else
#define linger(p) skip
#define lookUp(l) skip
#endif

inline dropEntry(p) {
  linger(p);
  valid[p] = 0;
#ifdef SNAPSHOT
  sameTag[p] = 0;
#endif
  j = 0;
  do
  :: j < DOCS -> copies[(p) * DOCS + j] = 0; j++
  :: else -> break
  od
}

/* Nothing is declared of a group that no valid entry depends on. */
inline releaseGroups() {
  j = 0;
  do
  :: j < GROUPS ->
    if
    :: !(DEPENDS(0, j) && valid[0]) && !(DEPENDS(PAGES - 1, j) && valid[PAGES - 1]) -> declared[j] = NOTHING
    :: else
    fi;
    j++
  :: else -> break
  od
}

inline nextReport(g, rev) {
  if
#ifdef WITHOUT_REPORTS_WITHOUT_ENTRIES
  :: !(DEPENDS(0, g) && valid[0]) && !(DEPENDS(PAGES - 1, g) && valid[PAGES - 1])
#endif
  :: (rev) != 0 -> report[g] = (rev)
  :: (rev) == 0 && report[g] != NO_REPORT -> report[g] = UNKNOWN
  :: else
  fi
}

inline voidGroup(g) {
  declared[g] = NOTHING;
  i = 0;
  do
  :: i < PAGES ->
    if
    :: DEPENDS(i, g) ->
#ifdef WITHOUT_NEW_TAG_AFTER_CHANGE
      valid[i] = 0
#else
#ifdef WITHOUT_SAVING_VALID_ONLY
      valid[i] = 0
#else
      dropEntry(i)
#endif
#endif
    :: else
    fi;
    i++
  :: else -> break
  od;
  releaseGroups()
}

/* `change` of the core: the log, then the entries. */
inline change(g, rev, bySite) {
  record(g, rev, false, bySite);
  nextReport(g, rev);
#ifndef WITHOUT_VOIDING
  voidGroup(g)
#endif
}

/* `repeat` of the sink: the log, then the entries. */
inline repeat(g, rev) {
  record(g, rev, true, false);
  nextReport(g, rev);
#ifndef WITHOUT_VOIDING_REPEATED
  if
  :: declared[g] == (rev)
  :: else -> voidGroup(g)
  fi
#endif
}

inline declare(g, rev) {
  if
  :: declared[g] == NOTHING -> declared[g] = ((rev) == 0 -> OTHERWISE : (rev))
#ifndef WITHOUT_ALL_DECLARATIONS
  :: declared[g] != NOTHING && declared[g] != (rev) -> declared[g] = OTHERWISE
#endif
  :: else
  fi
}

/* === src/registry/core.ts === */

/* Everything is void. */
inline reset() {
  invalidateAll();
  i = 0;
  do
  :: i < PAGES ->
    dropEntry(i);
#ifdef WITHOUT_REPORTS_AFTER_ENTRIES
    lingering[i] = 0;
#endif
    i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < GROUPS -> declared[i] = NOTHING; report[i] = NO_REPORT; i++
  :: else -> break
  od;
#ifdef KEPT
  i = 0;
  do
  :: i < DOCS -> kept[i] = BIT(winner[i]); i++
  :: else -> break
  od
#endif
}

inline register(l) {
  conflict(l);
  i = 0;
  do
  :: i < DOCS ->
    if
    :: ((SHOWS(PAGE(l)) >> i) & 1) && report[i] != NO_REPORT && report[i] != UNKNOWN &&
        DECLARED(PAGE(l), read[l * DOCS + i]) != 0 && report[i] != DECLARED(PAGE(l), read[l * DOCS + i]) ->
#ifndef WITHOUT_SUPERSEDED
      if
      :: !refusal -> EVENT(SUPERSEDED)
      :: else
      fi;
      refusal = 1
#else
      skip
#endif
    :: else
    fi;
    i++
  :: else -> break
  od;
  close(l);
  n = valid[PAGE(l)];
#ifdef WITHOUT_NEW_TAG_AFTER_CHANGE
  was = (isLive && KIND(PAGE(l)) != DERIVED);
#else
#ifdef WITHOUT_NEW_TAG_WHILE_SUSPENDED
  was = (n && KIND(PAGE(l)) != DERIVED);
#else
  was = (n && isLive && KIND(PAGE(l)) != DERIVED);
#endif
#endif
  if
  :: !refusal ->
    printf("- handler %d registers\n", l);
    i = 0;
    do
    :: i < GROUPS ->
      if
      :: DEPENDS(PAGE(l), i) ->
        first = DECLARED(PAGE(l), read[l * DOCS + i % DOCS]);
        first = ((i < DOCS) -> first : 0);
        declare(i, first)
      :: else
      fi;
      i++
    :: else -> break
    od;
    valid[PAGE(l)] = 1;
#ifdef WITHOUT_REPORTS_AFTER_ENTRIES
    lingering[PAGE(l)] = 0;
#endif
#ifdef SNAPSHOT
    sameTag[PAGE(l)] = (was -> sameTag[PAGE(l)] : 0);
#endif
    i = 0;
    do
    :: i < DOCS ->
      copies[PAGE(l) * DOCS + i] =
        (((SHOWS(PAGE(l)) >> i) & 1) ->
          BIT(read[l * DOCS + i]) | (was -> copies[PAGE(l) * DOCS + i] : 0) : 0);
#ifdef SNAPSHOT
      savedCopies[PAGE(l) * DOCS + i] =
        savedCopies[PAGE(l) * DOCS + i] | (sameTag[PAGE(l)] -> copies[PAGE(l) * DOCS + i] : 0);
#endif
      i++
    :: else -> break
    od
  :: else ->
    printf("- handler %d is refused\n", l);
    EVENT(REFUSED);
#ifdef WITHOUT_NEW_TAG_WHEN_REFUSED
    /* The response gets the tag of the entry. */
    i = 0;
    do
    :: i < DOCS && was ->
      copies[PAGE(l) * DOCS + i] = copies[PAGE(l) * DOCS + i] |
        (((SHOWS(PAGE(l)) >> i) & 1) -> BIT(read[l * DOCS + i]) : 0);
      i++
    :: else -> break
    od
#endif
  fi;
  reading[l] = 0;
  i = 0;
  do
  :: i < DOCS -> read[l * DOCS + i] = 0; i++
  :: else -> break
  od
}

/* === src/registry/subscription.ts: a batch is its reset, what came again, the changes, the state. === */

inline beginBatch(f, isReset, isLoss) {
#ifdef WALK
  lagKnown = lagKnown || begun[f];
#endif
#ifdef WITHOUT_SAVED_LAG
  lagUnknown = 0;
#endif
#ifdef WITHOUT_START_FLOOR
  if
  :: isReset -> EVENT(RESET); reset()
  :: else
  fi;
#else
#ifdef WITHOUT_RESET_FLOOR
  if
  :: !started[f] -> reset()
  :: else
  fi;
#else
  if
  :: isReset || !started[f] ->
    if :: isReset -> EVENT(RESET) :: else fi;
    reset()
  :: else
  fi;
#endif
#endif
#ifdef WITHOUT_START
  started[f] = 1
#else
  /* A loss before the feed could begin is no beginning: there is no cursor, so the batch has no position. */
  started[f] = started[f] || !isLoss || begun[f]
#endif
}

inline endBatch(f, isNowLive) {
#ifdef WITHOUT_SUSPENSION
  live[f] = live[f] || isNowLive;
#else
  live[f] = isNowLive;
#endif
  told[f] = isNowLive;
}

/* What a change touches besides its id. */
inline changeGroups() {
#ifdef HAS_LIST
#ifdef THROWS
  if
  :: throwing ->
    throwing = 0;
    EVENT(THREW);
#ifndef WITHOUT_THROWING
    reset()
#endif
  :: else -> change(DOCS, 0, false)
  fi
#else
  change(DOCS, 0, false)
#endif
#else
  skip
#endif
}

#ifdef THROWS
bit throwing;
#endif

/* A change was reported: what it superseded is no longer answered once that has settled. */
inline doom(d) {
#ifdef REPLICAS
  doomed[d] = doomed[d] | superseding[d];
  superseding[d] = 0
#else
  skip
#endif
}

inline applyChange(d, rev) {
  EVENT(STREAMED);
  doom(d);
  change(d, rev, false);
#ifndef WITHOUT_COLLECTIONS
  changeGroups()
#endif
}

inline applyRepeated(d, rev) {
  EVENT(REPEATED);
  doom(d);
  repeat(d, rev);
#ifndef WITHOUT_COLLECTIONS_REPEATED
  changeGroups()
#endif
}

#ifdef POSITIONS
#define setPosition(f, from) \
  copyPosition(f, position, from); positionIncarnation[f] = knownIncarnation[f]; positionPurges[f] = knownPurges[f]
#else
#define setPosition(f, from) skip
#endif

/* === src/couchdb/reader === */

inline emptyAnchor(f) {
  anchorDoc[f] = NO_DOC; anchorRev[f] = 0; setAlso(f, 0);
  clearPosition(f, anchorSeq);
  clearPosition(f, anchorSince)
}

inline endProbe(f) {
  step[f] = 0; newest[f] = 0; soughtDoc[f] = NO_DOC; soughtRev[f] = 0; came[f] = 0; trusted[f] = 0; probeNews[f] = 0;
  rows[f] = 0; complete[f] = 0;
  rowDoc[f * 2] = 0; rowRev[f * 2] = 0; rowSeq[f * 2] = 0;
  rowDoc[f * 2 + 1] = 0; rowRev[f * 2 + 1] = 0; rowSeq[f * 2 + 1] = 0;
  clearPosition(f, soughtSeq);
  clearPosition(f, probeSince);
#ifdef TWO_KNOWN
  soughtAlso[f] = 0;
#endif
#ifdef REPLICAS
  j = 0;
  do
  :: j < DOCS ->
    if
    :: OF_FEED(j, f) && onItsWay[f] != j -> superseding[j] = 0
    :: else
    fi;
    j++
  :: else -> break
  od;
#endif
  j = 0;
  do
  :: j < DOCS ->
    if
    :: OF_FEED(j, f) -> asked[j] = 0
    :: else
    fi;
    j++
  :: else -> break
  od
}

inline closeStream(f) {
  isOpen[f] = 0; isDead[f] = 0; isVerified[f] = 0; sought[f] = 0;
#ifdef TWO_KNOWN
  streamAlso[f] = 0;
#endif
  onItsWay[f] = NO_DOC; onItsWayRev[f] = 0;
  clearPosition(f, onItsWaySeq);
  clearPosition(f, streamSeq);
  clearPosition(f, streamSince)
}

/* `EarlyStream`: it begins where the anchor has to come again. */
inline openStream(f) {
  closeStream(f);
  isOpen[f] = 1;
#ifdef WITHOUT_STREAM_ANCHOR
  isVerified[f] = 1;
  copyPosition(f, streamSince, since)
#else
  if
  :: anchorDoc[f] == NO_DOC -> isVerified[f] = 1; copyPosition(f, streamSince, since)
  :: else ->
    sought[f] = 1;
#ifdef OWN_STREAM_ANCHOR
    streamDoc[f] = anchorDoc[f]; streamRev[f] = anchorRev[f];
#endif
#ifdef TWO_KNOWN
    streamAlso[f] = (alsoRev[f] != 0);
#endif
    copyPosition(f, streamSince, anchorSince);
    copyPosition(f, streamSeq, anchorSeq)
  fi
#endif
}

/* `#lose` of the reader. */
inline lose(f, isReset) {
  if
  :: newest[f] -> emptyAnchor(f)
  :: else
  fi;
  endProbe(f);
  closeStream(f);
  phase[f] = IDLE;
  if
  :: !isLost[f] || isReset ->
    isLost[f] = 1;
    beginBatch(f, isReset, true);
    /* Before there is a cursor, the position stays the one to resume at. */
    if
    :: begun[f] -> setPosition(f, since)
    :: else
    fi;
    endBatch(f, false)
  :: else
  fi
}

/* `reset` of the cursor, for a gap. The database as it is now is read with it. */
inline loseWithGap(f, isPurge, isAnchor) {
  printf("+ the feed finds a gap\n");
  knownIncarnation[f] = incarnation[f];
  knownPurges[f] = purges[f];
  if
#ifdef WITHOUT_START_FROM_ZERO
  :: isAnchor -> clearPosition(f, since)
#else
  :: isAnchor || !(isPurge) -> clearPosition(f, since)
#endif
  :: else
  fi;
  /* A purge leaves positions as they are; but files may have been rolled back as well, so the anchor has to come. */
#ifndef WITHOUT_ANCHOR_AFTER_PURGE
  if
  :: isAnchor || !(isPurge) -> emptyAnchor(f)
  :: else
  fi;
#else
  emptyAnchor(f);
#endif
  lose(f, true)
}

/* `rewindOf`: where one shard has one copy, the count in front of a position never falls. */
#ifdef ONE_COUNT
#define REWOUND(f) (since[f] > last[f])
#else
#define REWOUND(f) false
#endif

/* `hasRevisions`: whether the known revision is in the history of its document. */
#define IN_HISTORY(doc, rev) ((history[doc] >> (rev)) & 1)

/* Where rows of a page are newer than what the probe has seen: `first` is the document whose row comes first. */
#define IS_NEW(d, f, from) (OF_FEED(d, f) && seq[d] > from[SPAN(d)])

inline answerPage(f, order) {
  rows[f] = 0;
  complete[f] = 1;
  /* Within a shard, rows come in the order of their positions. */
  first = order;
#if DOCS == 2 && SHARDS == 1 && FEEDS == 1
  first = (seq[0] > seq[1]);
#endif
  n = 0;
  do
  :: n < DOCS ->
    j = (DOCS == 2 -> (first + n) % 2 : 0);
    if
    :: IS_NEW(j, f, probeSince) ->
      if
#ifdef ONE_ROW_PAGES
      :: rows[f] == 1 -> complete[f] = 0
#endif
      :: else ->
        rowDoc[f * 2 + rows[f]] = j;
        rowRev[f * 2 + rows[f]] = REV(winner[j]);
        rowSeq[f * 2 + rows[f]] = seq[j];
        rows[f]++;
#ifdef REPLICAS
        superseding[j] = stale[j]
#endif
      fi
    :: else
    fi;
    n++
  :: else -> break
  od
}

/* Position after row `n` of the page: `before` is the one before it. */
inline rowPosition(f, at) {
  copyPosition(f, after, before);
  after[SPAN(rowDoc[f * 2 + at])] = rowSeq[f * 2 + at]
}

/* `newestAnchor`: the last row of the database, read after a page without rows. The page is then read again. */
inline newestAnchor(f, order) {
  clearPosition(f, before);
  first = order;
#if DOCS == 2 && SHARDS == 1 && FEEDS == 1
  first = (seq[0] > seq[1]);
#endif
  n = 0;
  do
  :: n < DOCS ->
    j = (DOCS == 2 -> (first + n) % 2 : 0);
    if
    :: OF_FEED(j, f) && seq[j] > 0 ->
#ifndef ONE_ROW_PAGES
      setAlso(f, anchorRev[f]);
#endif
      anchorDoc[f] = j; anchorRev[f] = REV(winner[j]);
      copyPosition(f, anchorSince, before);
      before[SPAN(j)] = seq[j];
      copyPosition(f, anchorSeq, before)
    :: else
    fi;
    n++
  :: else -> break
  od;
  clearPosition(f, before)
}

/*
 * The moment that becomes the contact. The library asks as soon as it can. Where asking is no step of its own, the model
 * takes the moment of the answer, which is the stronger claim; not so in a walk, which compares the two.
 */
#ifdef WALK
#define noteAsking(f) noteRequest(f)
#define noteAnswer(f) skip
#else
#define noteAsking(f) skip
#define noteAnswer(f) noteRequest(f)
#endif
inline noteRequest(f) {
  j = 0;
  do
  :: j < DOCS ->
    if
    :: OF_FEED(j, f) ->
      asked[j] = BIT(winner[j]);
#ifdef REPLICAS
      asked[j] = asked[j] | (coming[j] != 0 -> BIT(coming[j]) : 0)
#endif
    :: else
    fi;
    j++
  :: else -> break
  od
}

/* One page of a probe: sorted, recognised, and yielded as one batch. */
inline probePage(f, order) {
#ifdef WITHOUT_REQUESTED_FIRST
  noteRequest(f);
#endif
  gapped = 0;
  exact = (soughtDoc[f] == NO_DOC);
  unmoved = NO_DOC; /* the document of the known row that came, and is not told */
  was = NO_DOC; /* the document of the known row that came again */
#ifdef TWO_KNOWN
  also = NO_DOC;
#endif
  copyPosition(f, before, probeSince);
  n = 0;
  do
  :: n < rows[f] ->
    rowPosition(f, n);
    if
    :: soughtDoc[f] == rowDoc[f * 2 + n] && !came[f] ->
      came[f] = 1;
      if
      :: soughtRev[f] == rowRev[f * 2 + n] ->
        exact = 1;
        any = DIFFERS(f, after, soughtSeq);
        if
        :: any == 0 -> unmoved = n
        :: else -> was = n
        fi
      :: else
      fi
#ifdef TWO_KNOWN
    :: soughtDoc[f] != rowDoc[f * 2 + n] && soughtAlso[f] != 0 ->
      if
      :: soughtAlso[f] == rowRev[f * 2 + n] -> also = n
      :: else
      fi;
      soughtAlso[f] = 0
#endif
    :: else
    fi;
    copyPosition(f, before, after);
    n++
  :: else -> break
  od;
  if
#ifdef WITHOUT_EARLY_ROW
  :: true -> trusted[f] = 1
#else
  :: !faulty && complete[f] && soughtDoc[f] != NO_DOC && !came[f] -> gapped = 1
  :: else
#endif
  fi;
  if
  :: !faulty && !gapped && !trusted[f] ->
    if
    :: exact -> trusted[f] = 1
    :: else ->
#ifdef WITHOUT_HISTORY
      trusted[f] = 1
#else
      trusted[f] = IN_HISTORY(soughtDoc[f], soughtRev[f]);
      gapped = !trusted[f]
#endif
    fi
  :: else
  fi;
  if
  :: gapped ->
    /* `explainGap`: no position can be relied on, even if a purge explains it. */
#ifdef WITHOUT_ZERO_DESPITE_PURGE
    was = (knownPurges[f] != purges[f] && knownIncarnation[f] == incarnation[f]);
    loseWithGap(f, was, false)
#else
    loseWithGap(f, false, true)
#endif
  :: else ->
    /* The anchor is before the last row. After a fault, the next probe has to look for the same one. */
    if
#ifdef WITHOUT_TRUST
    :: rows[f] > 0 ->
#else
    :: rows[f] > 0 && trusted[f] ->
#endif
      copyPosition(f, before, probeSince);
      setAlso(f, 0);
      if
      :: rows[f] == 2 -> rowPosition(f, 0); copyPosition(f, before, after); setAlso(f, rowRev[f * 2])
      :: else
      fi;
      anchorDoc[f] = rowDoc[f * 2 + rows[f] - 1];
      anchorRev[f] = rowRev[f * 2 + rows[f] - 1];
      copyPosition(f, anchorSince, before);
      rowPosition(f, rows[f] - 1);
      copyPosition(f, anchorSeq, after);
      copyPosition(f, probeSince, after);
      copyPosition(f, since, after)
    :: else
    fi;
    if
    :: rows[f] > 0 || newest[f] -> newest[f] = 0
    :: rows[f] == 0 && !newest[f] && anchorDoc[f] == NO_DOC && complete[f] && !faulty ->
      newestAnchor(f, order);
      newest[f] = 1
    :: else
    fi;
    any = (was != NO_DOC) || (unmoved != NO_DOC && phase[f] == FIRST);
    exact = ((was != NO_DOC) -> was : unmoved); /* which row came again */
    first = any;
    any = (rows[f] > ((exact != NO_DOC) -> 1 : 0) + (ALSO_CAME -> 1 : 0)); /* whether there is news */
    if
    :: any -> isLost[f] = 0; probeNews[f] = 1
    :: else
    fi;
    if
    :: any || first || ALSO_CAME ->
      beginBatch(f, false, isLost[f]);
#ifdef TWO_KNOWN
#ifndef WITHOUT_REPEATED_BY_PROBE
      if
      :: also != NO_DOC ->
        gapped = rowDoc[f * 2 + also];
        was = rowRev[f * 2 + also];
        applyRepeated(gapped, was);
#ifndef WITHOUT_RENEWAL_AFTER_REPEATED
        probeNews[f] = 1
#endif
      :: else
      fi;
#endif
#endif
      if
      :: first ->
#ifndef WITHOUT_REPEATED_BY_PROBE
        applyRepeated(rowDoc[f * 2 + exact], rowRev[f * 2 + exact]);
#ifndef WITHOUT_RENEWAL_AFTER_REPEATED
        probeNews[f] = 1
#endif
#else
        skip
#endif
      :: else
      fi;
      n = 0;
      do
      :: n < rows[f] ->
        if
        :: n != exact && !IS_ALSO(n) ->
          gapped = rowDoc[f * 2 + n];
          first = rowRev[f * 2 + n];
          was = n;
          applyChange(gapped, first);
          n = was
        :: else
        fi;
        n++
      :: else -> break
      od;
      setPosition(f, since);
      /* Within a probe, the state stays what it was. */
      endBatch(f, (phase[f] == AGAIN && told[f]))
    :: else
    fi;
    if
    :: faulty -> printf("+ the page breaks off\n"); lose(f, false)
#ifdef WITHOUT_ALL_PAGES
    :: !faulty && !newest[f] -> step[f] = IDENTITY_DUE
#else
    :: !faulty && complete[f] && !newest[f] -> step[f] = IDENTITY_DUE
#endif
    :: else -> step[f] = PAGE_DUE; noteAsking(f)
    fi;
    rows[f] = 0; complete[f] = 0;
    rowDoc[f * 2] = 0; rowRev[f * 2] = 0; rowSeq[f * 2] = 0;
    rowDoc[f * 2 + 1] = 0; rowRev[f * 2 + 1] = 0; rowSeq[f * 2 + 1] = 0
  fi
}

/* `verifyIdentity`, and the batch that says the feed is live. */
inline finishProbe(f) {
  gapped = 0;
#ifndef WITHOUT_IDENTITY
#ifndef WITHOUT_INCARNATION
  if
  :: knownIncarnation[f] != incarnation[f] -> gapped = 1
  :: else
  fi;
#endif
#ifndef WITHOUT_PURGES
  if
  :: !gapped && knownPurges[f] != purges[f] -> gapped = 2
  :: else
  fi;
#endif
  if
  :: !gapped && REWOUND(f) -> gapped = 1
  :: else
  fi;
#endif
  if
  :: gapped -> loseWithGap(f, gapped == 2, false)
  :: else ->
    knownIncarnation[f] = incarnation[f];
    knownPurges[f] = purges[f];
    EVENT(PROBED);
    isLost[f] = 0;
    beginBatch(f, false, false);
    setPosition(f, since);
    j = 0;
    do
    :: j < DOCS ->
      if
      :: OF_FEED(j, f) ->
        /* Contact only grows: no state becomes right again that was no longer so. */
        assert(!live[f] || (asked[j] & ~current[j]) == 0);
        current[j] = asked[j]
      :: else
      fi;
      j++
    :: else -> break
    od;
    endBatch(f, true);
    n = probeNews[f];
    was = phase[f];
    endProbe(f);
    if
#ifdef WITHOUT_RENEWAL
    :: was == FIRST -> openStream(f)
#else
    :: was == FIRST || n -> openStream(f)
#endif
    :: else
    fi;
    phase[f] = FOLLOWING
  fi
}

inline beginProbe(f, isFirst) {
#ifdef WALK
  mayDoubt[f] = mayDoubt[f] || (isFirst);
#endif
  phase[f] = (isFirst -> FIRST : AGAIN);
  step[f] = PAGE_DUE;
  noteAsking(f);
  soughtDoc[f] = anchorDoc[f]; soughtRev[f] = anchorRev[f];
  copyPosition(f, soughtSeq, anchorSeq);
#ifdef TWO_KNOWN
  soughtAlso[f] = alsoRev[f];
#endif
  if
  :: anchorDoc[f] == NO_DOC -> copyPosition(f, probeSince, since); trusted[f] = 1
  :: else -> copyPosition(f, probeSince, anchorSince)
  fi;
#ifdef WITHOUT_APPLYING_FIRST
  /* Live, and in contact as of now. */
  beginBatch(f, false, false);
  j = 0;
  do
  :: j < DOCS ->
    if
    :: OF_FEED(j, f) -> current[j] = BIT(winner[j])
    :: else
    fi;
    j++
  :: else -> break
  od;
  isLost[f] = 0;
  setPosition(f, since);
  endBatch(f, true);
#endif
  skip
}

/* `#start`: pins the start, or resumes. */
inline start(f) {
  begun[f] = 1;
  gapped = 0;
  knownIncarnation[f] = incarnation[f];
  knownPurges[f] = purges[f];
  if
  :: resuming[f] ->
#ifdef POSITIONS
#ifdef WITHOUT_RESUMING
    copyPosition(f, since, last);
#else
    copyPosition(f, since, position);
    if
    :: positionIncarnation[f] != incarnation[f] -> gapped = 1
    :: positionIncarnation[f] == incarnation[f] && positionPurges[f] != purges[f] -> gapped = 2
    :: else
    fi;
#endif
    resuming[f] = 0;
#endif
    skip
  :: else -> copyPosition(f, since, last)
  fi;
  if
  :: !gapped && REWOUND(f) -> gapped = 1
  :: else
  fi;
  if
  :: gapped -> loseWithGap(f, gapped == 2, false)
  :: else -> beginProbe(f, true)
  fi
}

/* The next row of the live stream: with one shard the one with the lowest position. */
#define IS_NEXT(d, f) (IS_NEW(d, f, streamSince) && \
  (SHARDS == 2 || FEEDS == 2 || DOCS == 1 || !IS_NEW(DOCS - 1 - d, f, streamSince) || seq[DOCS - 1 - d] > seq[d]))

inline sendRow(f, d) {
  onItsWay[f] = d;
  onItsWayRev[f] = REV(winner[d]);
  copyPosition(f, onItsWaySeq, streamSince);
  onItsWaySeq[SPAN(d)] = seq[d];
#ifdef REPLICAS
  superseding[d] = stale[d]
#endif
}

/* `read` and `verify` of the stream, and the batch. */
inline readRow(f) {
  copyPosition(f, before, streamSince);
  copyPosition(f, streamSince, onItsWaySeq);
  n = onItsWay[f];
  first = onItsWayRev[f];
  gapped = 0;
  was = 0; /* known with the known revision */
  exact = 0; /* and not told */
  if
  :: !isVerified[f] && sought[f] && n == STREAM_DOC(f) ->
    sought[f] = 0;
    if
    :: first == STREAM_REV(f) ->
      was = 1;
      isVerified[f] = 1;
      any = DIFFERS(f, onItsWaySeq, streamSeq);
      exact = !any
    :: else ->
#ifdef WITHOUT_STREAM_HISTORY
      isVerified[f] = 1
#else
      isVerified[f] = IN_HISTORY(n, STREAM_REV(f));
      gapped = !isVerified[f]
#endif
    fi
#ifdef TWO_KNOWN
  :: !isVerified[f] && streamAlso[f] && n != anchorDoc[f] ->
    streamAlso[f] = 0;
    was = (first == alsoRev[f])
#endif
  :: else
  fi;
  if
  :: gapped -> loseWithGap(f, false, true)
  :: else ->
    copyPosition(f, after, onItsWaySeq);
    onItsWay[f] = NO_DOC; onItsWayRev[f] = 0;
    clearPosition(f, onItsWaySeq);
    if
#ifdef WITHOUT_VERIFIED_ANCHOR
    :: true ->
#else
    :: isVerified[f] ->
#endif
      anchorDoc[f] = n; anchorRev[f] = first; setAlso(f, 0);
      copyPosition(f, anchorSince, before);
      copyPosition(f, anchorSeq, after);
      if
      :: !was -> copyPosition(f, since, after)
      :: else
      fi
    :: else
    fi;
    if
    :: was && exact -> doom(n)
    :: else ->
      if
      :: !was -> copyPosition(f, before, after)
      :: else -> copyPosition(f, before, since)
      fi;
      gapped = n;
      beginBatch(f, false, false);
      if
      :: was ->
#ifndef WITHOUT_REPEATED_BY_STREAM
        applyRepeated(gapped, first)
#else
        skip
#endif
      :: else ->
applyChange(gapped, first)
      fi;
      setPosition(f, before);
#ifdef WITHOUT_PROBED_CONTACT
      j = 0;
      do
      :: j < DOCS ->
        if
        :: OF_FEED(j, f) -> current[j] = BIT(winner[j])
        :: else
        fi;
        j++
      :: else -> break
      od;
#endif
#ifdef WALK
      n = (!was);
#endif
      endBatch(f, told[f]);
#ifdef WALK
      if
      :: n && !isVerified[f] && mayDoubt[f] -> mayDoubt[f] = 0; beginProbe(f, false)
      :: else
      fi
#endif
    fi
  fi
}

/* === The steps of the database === */

inline noteWinner(d, s) {
  current[d] = current[d] | BIT(s);
  if
  :: phase[FEED(d)] == FIRST || phase[FEED(d)] == AGAIN -> asked[d] = asked[d] | BIT(s)
  :: else
  fi;
#ifdef KEPT
  kept[d] = kept[d] | BIT(s);
#endif
#ifdef SITE
  if
  :: own[d] != 255 -> own[d] = own[d] | BIT(s)
  :: else
  fi;
  if
  :: answering[d] -> ownPending[d] = ownPending[d] | BIT(s)
  :: else
  fi;
#endif
  skip
}

inline put(d, s) {
#ifdef REPLICAS
  stale[d] = (stale[d] | BIT(winner[d])) & (255 - BIT(s));
  doomed[d] = doomed[d] & (255 - BIT(s)) & (255 - BIT(winner[d]));
  superseding[d] = superseding[d] & (255 - BIT(s)) & (255 - BIT(winner[d]));
#endif
  winner[d] = s;
  last[SPAN(d)]++;
  seq[d] = last[SPAN(d)];
  history[d] = history[d] | BIT(REV(s))
}

#ifdef ROLLBACK
#ifdef BACKUP_AT_START
/* The last state is for writes after the roll-back. */
#define NOT_LOST(d, s) (((lost[d] >> REV(s)) & 1) == 0 && (rolledBack || (s) < STATES))
#else
#define NOT_LOST(d, s) (((lost[d] >> REV(s)) & 1) == 0)
#endif
#else
#define NOT_LOST(d, s) true
#endif

#define CAN_WRITE(d, s) (written < WRITES && winner[d] != s && NOT_LOST(d, s) && NOT_COMING(d) && NOT_ANSWERING(d))
#ifdef REPLICAS
#define NOT_COMING(d) (coming[d] == 0)
#else
#define NOT_COMING(d) true
#endif
#ifdef SITE
#define NOT_ANSWERING(d) !answering[d]
#else
#define NOT_ANSWERING(d) true
#endif

#ifdef REPLICAS
#define IS_STALE(d, s) (((stale[d] >> s) & 1) || (coming[d] == s && s != 0))
#else
#define IS_STALE(d, s) false
#endif
#ifdef KEPT
#define IS_KEPT(d, s) ((kept[d] >> s) & 1)
#else
#define IS_KEPT(d, s) false
#endif

/* What the handler of a page reads of a document: a page that shows no conflicts sees the revision alone. */
#define SEEN(l, s) ((KIND(PAGE(l)) == DERIVED) -> REV(s) : s)
#define NEXT_READ(l, d) (((d) + 1 < DOCS && ((SHOWS(PAGE(l)) >> ((d) + 1)) & 1)) -> (d) + 2 : DOCS + 1)

#ifdef CONFLICTS
/* A page that declares revisions does not show conflicts, so both states are the same to it. */
#define RIGHT(p, d, set) ((KIND(p) == DERIVED) -> (set) | (((set) >> STATES) & 1) << 1 : (set))
#else
#define RIGHT(p, d, set) (set)
#endif

#ifdef TWO_KNOWN
#define CLEAR_ALSO also = 0;
#else
#define CLEAR_ALSO
#endif
#define END \
  OBSERVED \
  CLEAR_ALSO \
  faulty = 0; i = 0; j = 0; n = 0; gapped = 0; exact = 0; unmoved = 0; isAgain = 0; refusal = 0; any = 0; first = 0; was = 0; \
  CLEAR_POSITIONS
#if SPANS == 2
#define CLEAR_POSITIONS before[0] = 0; before[1] = 0; after[0] = 0; after[1] = 0
#else
#define CLEAR_POSITIONS before[0] = 0; after[0] = 0
#endif

/* === Steps, for each document, state, handler, feed and page === */

#ifdef WALK
/* What can be seen of the library after each step, for a random walk that it takes as well. */
#define OBSERVED \
  printf("= %d %d %d %d %d %d", isLive, valid[0], valid[PAGES - 1], copies[0], copies[DOCS - 1], copies[PAGES * DOCS - 1]); \
  printf(" %d %d %d", told[0], phase[0], step[0]); \
  printf(" %d %d %d", told[FEEDS - 1], phase[FEEDS - 1], step[FEEDS - 1]); \
  printf(" %d %d\n", current[0], current[DOCS - 1]);
#else
#define OBSERVED
#endif

#define WRITE(d, s) \
  :: d_step { WATCHING (CAN_WRITE(d, s)) -> printf("- document %d is written: %d\n", d, s); \
    written++; noteWinner(d, s); put(d, s); EVENT(WRITTEN); if :: REV(s) != s -> EVENT(CONFLICTED) :: else fi; END }

#ifdef AHEAD
#define ARRIVE(d, s) \
  :: d_step { WATCHING (CAN_WRITE(d, s)) -> printf("- another node has document %d at %d\n", d, s); \
    written++; coming[d] = s; noteWinner(d, s); END }
#define REVEAL(d) \
  :: d_step { WATCHING (coming[d] != 0) -> printf("- document %d arrives: %d\n", d, coming[d]); \
    n = coming[d]; coming[d] = 0; put(d, n); END }
#else
#define ARRIVE(d, s)
#define REVEAL(d)
#endif

#ifdef SITE
#define WRITE_OWN(d, s) \
  :: d_step { WATCHING (CAN_WRITE(d, s)) -> printf("- the site writes document %d: %d\n", d, s); \
    written++; noteWinner(d, s); put(d, s); answering[d] = 1; ownPending[d] = BIT(s); END }
#define FINISH_WRITE(d) \
  :: d_step { WATCHING (answering[d]) -> printf("- the response to that write is sent\n"); \
    own[d] = ownPending[d]; ownPending[d] = 0; answering[d] = 0; \
    DOOM_ALL(d); INVALIDATE(d); EVENT(INVALIDATED); END }
#ifdef REPLICAS
#define DOOM_ALL(d) doomed[d] = doomed[d] | stale[d]
#else
#define DOOM_ALL(d) skip
#endif
#ifdef WITHOUT_INVALIDATES
#define INVALIDATE(d) skip
#else
#define INVALIDATE(d) change(d, 0, true)
#endif
#else
#define WRITE_OWN(d, s)
#define FINISH_WRITE(d)
#endif

#ifdef REPLICAS
/* Time passes: what was reported has settled, because replicas have it by now. */
#define ELAPSE(d) \
  :: d_step { WATCHING ((FLAGS(NOW, d) != 0 || (stale[d] & doomed[d]) != 0) && !allSettling[NOW]) -> \
    printf("- document %d has settled\n", d); \
    FLAGS(NOW, d) = 0; stale[d] = stale[d] & (255 - doomed[d]); doomed[d] = 0; forget(); EVENT(SETTLED); END }
#define ELAPSE_ALL \
  :: d_step { WATCHING (allSettling[NOW]) -> printf("- everything has settled\n"); \
    allSettling[NOW] = 0; \
    i = 0; do :: i < DOCS -> stale[i] = stale[i] & (255 - doomed[i]); doomed[i] = 0; FLAGS(NOW, i) = 0; i++ \
    :: else -> break od; \
    forget(); END }
#else
#define ELAPSE(d)
#define ELAPSE_ALL
#endif

#ifdef PURGE
#define PURGE_DOCUMENT(d) \
  :: d_step { WATCHING (!purges[FEED(d)] && winner[d] != 0) -> printf("- document %d is purged\n", d); \
    noteWinner(d, 0); winner[d] = 0; seq[d] = 0; history[d] = 0; purges[FEED(d)] = 1; EVENT(PURGED); END }
#else
#define PURGE_DOCUMENT(d)
#endif

#ifdef RECREATE
#define RECREATE_DATABASE(f) \
  :: d_step { WATCHING (!incarnation[f]) -> printf("- database %d is deleted and created again\n", f); \
    incarnation[f] = 1; isDead[f] = isOpen[f]; \
    n = 0; do :: n < DOCS -> \
      if :: OF_FEED(n, f) -> noteWinner(n, 0); winner[n] = 0; seq[n] = 0; last[SPAN(n)] = 0; history[n] = 0 \
      :: else fi; n++ \
    :: else -> break od; \
    EVENT(RECREATED); END }
#else
#define RECREATE_DATABASE(f)
#endif

#ifdef BACKUP_AT_START
#define BACKS_UP false
#else
#define BACKS_UP true
#endif
#ifdef ROLLBACK
#define BACK_UP \
  :: d_step { WATCHING (!backedUp && BACKS_UP) -> printf("- files are backed up\n"); backedUp = 1; backupPurges = purges[0]; \
    n = 0; do :: n < DOCS -> backupWinner[n] = winner[n]; backupSeq[n] = seq[n]; backupHistory[n] = history[n]; n++ \
    :: else -> break od; \
    n = 0; do :: n < SPANS -> backupLast[n] = last[n]; n++ :: else -> break od; END }
/*
 * Known limits: an anchor that the restored files hold or that was purged, and none at all (the one of a feed that has just begun). And no
 * purge is undone, because one between two requests of a probe would then leave no trace.
 */
#define HELD(d, rev) ((backupHistory[d] >> (rev)) & 1)
#ifdef RESTART
#define MAY_ROLL_BACK true
#else
#define MAY_ROLL_BACK \
  (anchorDoc[0] != NO_DOC && !newest[0] && anchorSeq[0] > backupLast[0] && !HELD((anchorDoc[0] % DOCS), anchorRev[0]) && step[0] != PAGE_ANSWERED && \
  (onItsWay[0] == NO_DOC || !HELD((onItsWay[0] % DOCS), onItsWayRev[0])))
#endif
#define ROLL_BACK \
  :: d_step { WATCHING (backedUp && !rolledBack && purges[0] == backupPurges && MAY_ROLL_BACK) -> printf("- files are rolled back\n"); \
    rolledBack = 1; isDead[0] = isOpen[0]; backupPurges = 0; EXCUSE; \
    n = 0; do :: n < DOCS -> \
      lost[n] = history[n] & (255 - backupHistory[n]); \
      winner[n] = backupWinner[n]; seq[n] = backupSeq[n]; history[n] = backupHistory[n]; \
      noteWinner(n, winner[n]); \
      backupWinner[n] = 0; backupSeq[n] = 0; backupHistory[n] = 0; n++ \
    :: else -> break od; \
    n = 0; do :: n < SPANS -> last[n] = backupLast[n]; backupLast[n] = 0; n++ :: else -> break od; \
    EVENT(ROLLED_BACK); END }
#else
#define BACK_UP
#define ROLL_BACK
#endif

#ifdef RESTART
#define EXCUSE excused = 1
/* `restart()` after files have been restored: everything is void, and each feed begins anew. */
#ifdef WITHOUT_BEGINNING_ANEW
#define RESUMES 1
#else
#define RESUMES 0
#endif
#define RESTART_REGISTRY \
  :: d_step { WATCHING (excused) -> printf("- registry.restart()\n"); \
    excused = 0; reset(); \
    endProbe(0); closeStream(0); emptyAnchor(0); clearPosition(0, since); \
    phase[0] = IDLE; begun[0] = 0; isLost[0] = 0; resuming[0] = RESUMES; \
    started[0] = 0; live[0] = 0; told[0] = 0; EVENT(RESTARTED); END }
#else
#define EXCUSE skip
#define RESTART_REGISTRY
#endif

#ifdef THROWS
#define THROW :: d_step { WATCHING (!throwing) -> printf("- the groups function is about to throw\n"); throwing = 1; END }
#else
#define THROW
#endif

/* Handlers. */
#define LEASE(l) \
  :: d_step { WATCHING (reading[l] == 0) -> printf("- handler %d begins\n", l); \
    lookUp(l); takeLease(l); reading[l] = ((SHOWS(PAGE(l)) & 1) -> 1 : 2); END }
#define READ(l, d, s) \
  :: d_step { WATCHING (reading[l] == d + 1 && (winner[d] == s || IS_STALE(d, s) || IS_KEPT(d, s)) && SEEN(l, s) == s) -> \
    printf("- handler %d reads document %d: %d\n", l, d, s); \
    if :: winner[d] != s && IS_STALE(d, s) -> EVENT(LAGGED) :: else fi; \
    if :: winner[d] != s && IS_KEPT(d, s) -> EVENT(KEPT_DOC) :: else fi; \
    read[l * DOCS + d] = s; reading[l] = NEXT_READ(l, d); END }
#ifdef CONFLICTS
#define READ_REVISION(l, d) \
  :: d_step { WATCHING (reading[l] == d + 1 && KIND(PAGE(l)) == DERIVED && (winner[d] == STATES || IS_STALE(d, STATES))) -> \
    printf("- handler %d reads document %d: 1, with other conflicts\n", l, d); \
    read[l * DOCS + d] = 1; reading[l] = NEXT_READ(l, d); END }
#else
#define READ_REVISION(l, d)
#endif
#define REGISTER(l) \
  :: d_step { WATCHING (reading[l] == DOCS + 1) -> register(l); END }

/* The reader. */
#if SHARDS == 2
#define SAY_PAGE(order) printf("+ document %d first\n", order)
#else
#define SAY_PAGE(order) skip
#endif
#ifdef NO_EARLY_LOSS
#define LOSE_EARLY(f)
#else
#define LOSE_EARLY(f) \
  :: d_step { WATCHING (!begun[f] && phase[f] == IDLE && !isLost[f]) -> printf("- the first request of feed %d fails\n", f); lose(f, false); END }
#endif
#define START(f) \
  :: d_step { WATCHING (!begun[f] && phase[f] == IDLE) -> printf("- feed %d begins\n", f); start(f); END }
#define CONNECT(f) \
  :: d_step { WATCHING (begun[f] && phase[f] == IDLE) -> printf("- feed %d connects\n", f); beginProbe(f, true); END }
#define PROBE(f) \
  :: d_step { WATCHING (phase[f] == FOLLOWING) -> printf("- feed %d probes\n", f); beginProbe(f, false); END }
#define IS_PROBING(f) (phase[f] == FIRST || phase[f] == AGAIN)
#ifdef LATE
/* Requests are answered, and answers applied, later. */
#define REQUEST_PAGE(f) \
  :: d_step { WATCHING (IS_PROBING(f) && step[f] == PAGE_DUE) -> printf("- feed %d asks for a page\n", f); \
    noteAnswer(f); step[f] = PAGE_ASKED; END }
#define ANSWER_PAGE(f, order) \
  :: d_step { WATCHING (IS_PROBING(f) && step[f] == PAGE_ASKED) -> printf("- the page is answered\n"); SAY_PAGE(order); \
    answerPage(f, order); step[f] = PAGE_ANSWERED; END }
#define APPLY_PAGE(f) \
  :: d_step { WATCHING (IS_PROBING(f) && step[f] == PAGE_ANSWERED) -> printf("- feed %d applies the page\n", f); \
    probePage(f, 0); END }
#else
#define REQUEST_PAGE(f)
#define ANSWER_PAGE(f, order)
#define APPLY_PAGE(f)
#define READ_PAGE(f, order) \
  :: d_step { WATCHING (IS_PROBING(f) && step[f] == PAGE_DUE) -> printf("- feed %d reads a page\n", f); SAY_PAGE(order); \
    noteAnswer(f); answerPage(f, order); probePage(f, order); END }
#endif
#ifdef LATE
#define READ_PAGE(f, order)
#endif
#ifdef FAULTS
/* The first row of a page arrives, and then the connection breaks. */
#define READ_FAULTY_PAGE(f) \
  :: d_step { WATCHING (IS_PROBING(f) && step[f] == PAGE_DUE) -> printf("- feed %d reads a part of a page\n", f); \
    noteAnswer(f); answerPage(f, 0); faulty = 1; n = rows[f]; rows[f] = (n > 0 -> 1 : 0); \
    rowDoc[f * 2 + 1] = 0; rowRev[f * 2 + 1] = 0; rowSeq[f * 2 + 1] = 0; probePage(f, 0); EVENT(BROKEN_OFF); END }
#else
#define READ_FAULTY_PAGE(f)
#endif
#define FINISH_PROBE(f) \
  :: d_step { WATCHING (IS_PROBING(f) && step[f] == IDENTITY_DUE) -> printf("- feed %d is live\n", f); finishProbe(f); END }
#define LOSE(f) \
  :: d_step { WATCHING (begun[f] && (phase[f] == FOLLOWING || IS_PROBING(f))) -> printf("- feed %d is lost\n", f); \
    lose(f, false); EVENT(LOST); END }
#define SEND(f, d) \
  :: d_step { WATCHING (isOpen[f] && !isDead[f] && onItsWay[f] == NO_DOC && IS_NEXT(d, f)) -> \
    printf("- the row of document %d is sent: %d\n", d, winner[d]); sendRow(f, d); END }
#define READ_ROW(f) \
  :: d_step { WATCHING (phase[f] == FOLLOWING && onItsWay[f] != NO_DOC) -> \
    printf("- feed %d reads the row of document %d: %d\n", f, onItsWay[f], onItsWayRev[f]); readRow(f); END }
#ifdef WITHOUT_SILENT_HEARTBEATS
#define HEARTBEAT(f) \
  :: d_step { WATCHING (phase[f] == FOLLOWING && isOpen[f] && !isDead[f] && told[f]) -> printf("- a heartbeat\n"); \
    n = 0; do :: n < DOCS -> if :: OF_FEED(n, f) -> current[n] = BIT(winner[n]) :: else fi; n++ :: else -> break od; \
    END }
#else
#define HEARTBEAT(f)
#endif
#ifdef REPLAY
/* A row comes again as it was. */
#define SEND_AGAIN(f, d, s) \
  :: d_step { WATCHING isOpen[f] && !isDead[f] && isVerified[f] && onItsWay[f] == NO_DOC && OF_FEED(d, f) && \
    winner[d] != s && ((history[d] >> s) & 1) -> \
    printf("- an old row of document %d is sent again: %d\n", d, s); \
    onItsWay[f] = d; onItsWayRev[f] = s; copyPosition(f, onItsWaySeq, streamSince); EVENT(REPLAYED); END }
#else
#define SEND_AGAIN(f, d, s)
#endif

#ifdef CLOSE
#define CLOSE_FEED(f) \
  :: d_step { WATCHING (phase[f] != CLOSED_READER && started[f]) -> printf("- the follower %d is closed\n", f); \
    endProbe(f); closeStream(f); emptyAnchor(f); clearPosition(f, since); \
    phase[f] = CLOSED_READER; begun[f] = 0; isLost[f] = 0; told[f] = 0; CLOSE_LIVE(f); END }
#ifdef WITHOUT_CLOSING
#define CLOSE_LIVE(f) skip
#else
#define CLOSE_LIVE(f) live[f] = 0
#endif
#define FOLLOW(f) \
  :: d_step { WATCHING (phase[f] == CLOSED_READER) -> printf("- feed %d is followed again\n", f); \
    phase[f] = IDLE; resuming[f] = 1; EVENT(CLOSED); END }
#else
#define CLOSE_FEED(f)
#define FOLLOW(f)
#endif

#ifdef SNAPSHOT
#define SAVE \
  :: d_step { WATCHING (!saved && started[0] && started[FEEDS - 1]) -> printf("- a snapshot is saved\n"); \
    saved = 1; \
    n = 0; do :: n < PAGES -> savedValid[n] = SAVED_VALID(n); sameTag[n] = valid[n]; n++ :: else -> break od; \
    n = 0; do :: n < PAGES * DOCS -> savedCopies[n] = SAVED_COPIES(n); n++ :: else -> break od; \
    n = 0; do :: n < SPANS -> savedPosition[n] = position[n]; n++ :: else -> break od; \
    n = 0; do :: n < FEEDS -> savedIncarnation[n] = positionIncarnation[n]; \
      savedPurges[n] = positionPurges[n]; n++ :: else -> break od; END }
#ifdef WITHOUT_SAVING_VALID_ONLY
#define SAVED_VALID(p) (copies[(p) * DOCS] != 0)
#else
#define SAVED_VALID(p) valid[p]
#endif
#define SAVED_COPIES(n) copies[n]
/* A process begins with the snapshot: nothing else is left of the one before. */
#define RESTORE \
  :: d_step { WATCHING (saved && !restored) -> printf("- a process begins with the snapshot\n"); \
    restored = 1; LAG_UNKNOWN; reset(); \
    RESTORED_SETTLES; \
    n = 0; do :: n < HANDLERS -> reading[n] = 0; open[n] = 0; allSettling[n] = 0; n++ :: else -> break od; \
    n = 0; do :: n < HANDLERS * DOCS -> read[n] = 0; n++ :: else -> break od; \
    n = 0; do :: n < PAGES -> valid[n] = savedValid[n]; savedValid[n] = 0; sameTag[n] = 0; n++ :: else -> break od; \
    n = 0; do :: n < PAGES * DOCS -> copies[n] = savedCopies[n]; savedCopies[n] = 0; n++ :: else -> break od; \
    n = 0; do :: n < GROUPS -> declared[n] = OTHERWISE; n++ :: else -> break od; \
    releaseGroups(); \
    n = 0; do :: n < SPANS -> position[n] = savedPosition[n]; savedPosition[n] = 0; n++ :: else -> break od; \
    n = 0; do :: n < FEEDS -> \
      positionIncarnation[n] = savedIncarnation[n]; positionPurges[n] = savedPurges[n]; \
      savedIncarnation[n] = 0; savedPurges[n] = 0; \
      endProbe(n); closeStream(n); emptyAnchor(n); clearPosition(n, since); \
      phase[n] = IDLE; begun[n] = 0; isLost[n] = 0; resuming[n] = 1; \
      started[n] = 1; live[n] = RESTORED_LIVE; told[n] = 0; n++ \
    :: else -> break od; \
    EVENT(RESTORED); END }
#ifdef WITHOUT_CATCHING_UP
#define RESTORED_LIVE 1
#else
#define RESTORED_LIVE 0
#endif
#ifdef WITHOUT_SAVED_LAG
#define LAG_UNKNOWN lagUnknown = 1
#else
#define LAG_UNKNOWN skip
#endif
#ifdef WITHOUT_RESTORED_FLOOR
#define RESTORED_SETTLES allSettling[NOW] = 0
#else
#define RESTORED_SETTLES skip
#endif
#else
#define SAVE
#define RESTORE
#endif

/* A request is answered from the registry. */
#ifdef RESTART
#define CHECKED !excused
#else
#define CHECKED true
#endif
#ifdef SITE
#define CHECK_OWN(p, d) assert((copies[(p) * DOCS + d] & ~RIGHT(p, d, own[d])) == 0) /* your own writes */
#else
#define CHECK_OWN(p, d) skip
#endif
#define ANSWER(p) \
  :: d_step { WATCHING (valid[p] && isLive && CHECKED) -> printf("- page %d is answered\n", p); \
    assert(told[0] && told[FEEDS - 1]); /* the last word was neither a loss nor a reset */ \
    assert((copies[(p) * DOCS] & ~RIGHT(p, 0, current[0])) == 0); /* the promise */ \
    assert((copies[(p) * DOCS + DOCS - 1] & ~RIGHT(p, DOCS - 1, current[DOCS - 1])) == 0); \
    CHECK_OWN(p, 0); CHECK_OWN(p, (DOCS - 1)); \
    ANSWERED; END }

/* No lease, and no remembered change, is kept for ever. */
#define KEEPS_NOTHING(l) \
  :: d_step { WATCHING (open[l] && reading[l] == 0) -> printf("- a lease is kept\n"); assert(false); END }
#define NO_LEASE (!open[0] && !open[HANDLERS - 1])
#define FORGETS(g) \
  :: d_step { WATCHING (NO_LEASE && remembered[g] && (FLAGS(NOW, g) & (SETTLING | SITE_SETTLING)) == 0) -> \
    printf("- a change is kept\n"); assert(false); END }

#if STATES >= 2
#define STATE2(step, a) step(a, 2)
#else
#define STATE2(step, a)
#endif
#if STATES >= 3
#define STATE3(step, a) step(a, 3)
#else
#define STATE3(step, a)
#endif
#if STATES >= 4
#define STATE4(step, a) step(a, 4)
#else
#define STATE4(step, a)
#endif
#define EACH_STATE(step, a) step(a, 1) STATE2(step, a) STATE3(step, a) STATE4(step, a)

#define READ0(d, s) READ(0, d, s)
#define READ1(d, s) READ(1, d, s)
#define AGAIN0(d, s) SEND_AGAIN(FEED(d), d, s)

#define OF_DOCUMENT(d) \
  EACH_STATE(WRITE, d) EACH_STATE(ARRIVE, d) REVEAL(d) EACH_STATE(WRITE_OWN, d) FINISH_WRITE(d) ELAPSE(d) \
  PURGE_DOCUMENT(d) READ(0, d, 0) EACH_STATE(READ0, d) READ_REVISION(0, d)
#define OF_SECOND_HANDLER(d) READ(1, d, 0) EACH_STATE(READ1, d) READ_REVISION(1, d)
#define OF_FEED_STEPS(f) \
  LOSE_EARLY(f) START(f) CONNECT(f) PROBE(f) REQUEST_PAGE(f) ANSWER_PAGE(f, 0) APPLY_PAGE(f) READ_PAGE(f, 0) READ_FAULTY_PAGE(f) \
  FINISH_PROBE(f) LOSE(f) READ_ROW(f) HEARTBEAT(f) RECREATE_DATABASE(f) CLOSE_FEED(f) FOLLOW(f)
#if FEEDS == 2
#define STREAM_OF(d) SEND(d, d)
#else
#define STREAM_OF(d) SEND(0, d)
#endif
#ifdef REPLAY
#define REPLAY_OF(d) SEND_AGAIN(0, d, 1) SEND_AGAIN(0, d, 2) SEND_AGAIN(0, d, 3)
#else
#define REPLAY_OF(d)
#endif

#ifdef WALK
/* What a random choice among all steps would take too seldom. */
#define OFTEN \
  STREAM_OF(0) READ_ROW(0) READ_PAGE(0, 0) FINISH_PROBE(0) LEASE(0) READ(0, 0, 0) EACH_STATE(READ0, 0) REGISTER(0)
#define WALKED OFTEN OFTEN OFTEN
#else
#define WALKED
#endif

init {
  d_step {
    i = 0;
    do
    :: i < DOCS ->
      last[SPAN(i)]++; seq[i] = last[SPAN(i)]; history[i] = BIT(1);
#ifdef KEPT
      kept[i] = BIT(1);
#endif
#ifdef BACKUP_AT_START
      backedUp = 1;
      backupWinner[i] = 1; backupSeq[i] = seq[i]; backupHistory[i] = BIT(1);
      backupLast[SPAN(i)] = last[SPAN(i)];
#endif
      i++
    :: else -> break
    od;
    i = 0
  }
#ifdef WATCHED
  if
  :: ((WATCHED >> 0) & 1) -> watch = 0
  :: ((WATCHED >> 1) & 1) -> watch = 1
  :: ((WATCHED >> 2) & 1) -> watch = 2
  :: ((WATCHED >> 3) & 1) -> watch = 3
  :: ((WATCHED >> 4) & 1) -> watch = 4
  :: ((WATCHED >> 5) & 1) -> watch = 5
  :: ((WATCHED >> 6) & 1) -> watch = 6
  :: ((WATCHED >> 7) & 1) -> watch = 7
  :: ((WATCHED >> 8) & 1) -> watch = 8
  :: ((WATCHED >> 9) & 1) -> watch = 9
  :: ((WATCHED >> 10) & 1) -> watch = 10
  :: ((WATCHED >> 11) & 1) -> watch = 11
  :: ((WATCHED >> 12) & 1) -> watch = 12
  :: ((WATCHED >> 13) & 1) -> watch = 13
  :: ((WATCHED >> 14) & 1) -> watch = 14
  :: ((WATCHED >> 15) & 1) -> watch = 15
  :: ((WATCHED >> 16) & 1) -> watch = 16
  :: ((WATCHED >> 17) & 1) -> watch = 17
  :: ((WATCHED >> 18) & 1) -> watch = 18
  :: ((WATCHED >> 19) & 1) -> watch = 19
  :: ((WATCHED >> 20) & 1) -> watch = 20
  :: ((WATCHED >> 21) & 1) -> watch = 21
  :: ((WATCHED >> 22) & 1) -> watch = 22
  fi;
#endif
  do
  WALKED
  OF_DOCUMENT(0)
  STREAM_OF(0)
  REPLAY_OF(0)
#if DOCS == 2
  OF_DOCUMENT(1)
  STREAM_OF(1)
  REPLAY_OF(1)
#endif
  ELAPSE_ALL
  BACK_UP
  ROLL_BACK
  RESTART_REGISTRY
  THROW
  SAVE
  RESTORE
  LEASE(0)
  REGISTER(0)
  KEEPS_NOTHING(0)
#if HANDLERS == 2
  OF_SECOND_HANDLER(0)
#if DOCS == 2
  OF_SECOND_HANDLER(1)
#endif
  LEASE(1)
  REGISTER(1)
  KEEPS_NOTHING(1)
#endif
  OF_FEED_STEPS(0)
#if SHARDS == 2
  READ_PAGE(0, 1)
  ANSWER_PAGE(0, 1)
#endif
#if FEEDS == 2
  OF_FEED_STEPS(1)
#endif
  FORGETS(0)
#if DOCS == 2
  FORGETS(1)
#endif
  ANSWER(0)
#if PAGES == 2
  ANSWER(1)
#endif
  od
}
