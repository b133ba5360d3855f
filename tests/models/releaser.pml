/* The protocol of the thread that gives pages back: src/integrations/python/releaser.h says it in prose,
 * releaser.cpp and heap/page_return.inl in C++. Here a checker (spin) goes through every order in which its
 * steps can happen. test_releaser_model.py runs it, and shows that each of the mutants below is caught.
 *
 *   Main       Python's main thread: allocates, frees, forks, ends (or, with IDLE, does nothing any longer)
 *   Other      another thread of Python's; with SHARED one of an interpreter with a GIL of its own, so that
 *              the heap is behind its lock
 *   Thread     the releaser's threads: one works, others may be on their last steps
 *
 * After a fork the model goes on as the parent or as the child, where all threads but the forking one are gone.
 *
 * What holds in every state that can be reached:
 *
 *   R1  a page that goes holds no allocated block, and no block of it is handed out before it has gone
 *   R2  one thread at a time is in the heap's lists
 *   R3  no lock is held during the system calls
 *   R4  a thread is joined or detached once, and joined only if it isn't detached
 *   R5  when stop_releasing returns, no thread will touch anything again, no pool is away
 *   R6  nothing waits for ever for what can't come (the checker's "invalid end state")
 *   R7  (IDLE) when the program does nothing any longer, all that has come back is seen to, and the thread
 *       ends; in a child forked without the GIL this needs another free
 *
 * Steps are taken to be seen by all in one order: the atomics are so, the rest is under the GIL.
 */
#define POOLS 2
#ifndef BLOCKS
#define BLOCKS 4 /* two a pool, each a page of its own */
#endif
#define SLOTS 3
#ifndef OPERATIONS
#define OPERATIONS 4
#endif
#ifndef OTHER_OPERATIONS
#define OTHER_OPERATIONS 2
#endif

mtype = { off, resting, changing, working };
mtype = { none, joinable, detached, ended };
mtype = { work, wait, rest };

/* struct Releaser */
mtype phase = off;
bool stop_event;
bool waits;
bool batch_is_open;
bool stopped_for_fork;
byte handle;
bool pending; /* start_again is in the queue of Python's main thread */

/* Locks; `users` counts who is in the heap's lists. */
bool gil;
bool lock;
byte users;

/* The heap. */
#define POOL(block) (block / (BLOCKS / POOLS))
bool allocated[BLOCKS];
bool resident[BLOCKS];
bool going[BLOCKS];
bool away[POOLS];
byte disturbed_at[POOLS]; /* 0 all is seen to, 1 since the last tick, 2 before it */
bool is_watched;

/* The system's threads. */
mtype slot[SLOTS] = none;
bool starts[SLOTS];
bool killed[SLOTS];
bool other_killed;

bool main_is_idle;
bool other_is_idle;
bool forked_without_gil;

inline take_gil() { atomic { !gil -> gil = true } }
inline drop_gil() { gil = false }

/* begin_return and finish_return, and Python's calls. */
inline enter_heap() {
#ifdef SHARED
  atomic { !lock -> lock = true };
#endif
  users++;
  assert(users == 1) /* R2 */
}
inline leave_heap() {
#ifdef SHARED
  d_step { users--; lock = false }
#else
  users--
#endif
}

inline create_thread() {
  stop_event = false;
  atomic {
    i = 0;
    do
    :: i < SLOTS && slot[i] != none -> i++
    :: else -> break
    od;
    assert(i < SLOTS); /* otherwise threads pile up */
    slot[i] = joinable;
    starts[i] = true
  };
  handle = i
}

/* Threads are joined by whoever has made sure that they end. */
inline join_thread() {
  assert(slot[handle] == joinable || slot[handle] == ended); /* R4 */
  atomic {
    slot[handle] == ended -> slot[handle] = none
  }
}

/* The watcher's call. */
inline disturbed() {
#ifdef MUTANT_TWO_STEPS
  got = (phase == resting);
  if
  :: got -> phase = changing
  :: else
  fi;
#else
  atomic {
    got = (phase == resting);
    if
    :: got ->
#ifdef MUTANT_AT_ONCE_WORKING
      phase = working
#else
      phase = changing
#endif
    :: else
    fi
  };
#endif
  if
  :: got ->
    if
    :: create_thread();
#ifndef MUTANT_AT_ONCE_WORKING
      phase = working
#endif
#ifndef IDLE
    :: phase = resting /* the system has no thread for us */
#endif
    fi
  :: else
  fi
}

inline allocate() {
  atomic {
    i = 0;
    do
    :: i < BLOCKS && !allocated[i] && !away[POOL(i)] -> break
    :: i < BLOCKS -> i++
    :: i == BLOCKS -> break
    od;
    if
    :: i < BLOCKS ->
      assert(!going[i]); /* R1 */
      allocated[i] = true;
      resident[i] = true
    :: else
    fi
  }
}

inline free() {
  atomic {
    i = 0;
    do
    :: i < BLOCKS && allocated[i] -> break
    :: i < BLOCKS -> i++
    :: i == BLOCKS -> break
    od;
    got = (i < BLOCKS);
    if
    :: got ->
      allocated[i] = false;
      disturbed_at[POOL(i)] = 1
    :: else
    fi
  };
  if
  :: got && is_watched -> disturbed()
  :: else
  fi
}

inline finish_batch() {
  if
  :: batch_is_open ->
    enter_heap();
    d_step {
      i = 0;
      do
      :: i < POOLS ->
        if
        :: away[i] ->
          away[i] = false;
          disturbed_at[i] = 1
        :: else
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      do
      :: i < BLOCKS -> going[i] = false; i++
      :: else -> break
      od;
      batch_is_open = false
    };
    leave_heap()
  :: else
  fi
}

inline begin_batch() {
  enter_heap();
  d_step {
    has_work = false;
    i = 0;
    do
    :: i < POOLS ->
      if
      :: tick && disturbed_at[i] == 1 -> disturbed_at[i] = 2
      :: else
      fi;
      i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < BLOCKS ->
      if
      :: disturbed_at[POOL(i)] == 2 && !allocated[i] && resident[i] && (!away[POOL(i)] || has_work) ->
        going[i] = true;
        has_work = true;
#ifndef MUTANT_IN_CIRCULATION
        away[POOL(i)] = true
#endif
      :: else
      fi;
      i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < POOLS ->
      if
      :: disturbed_at[i] == 2 -> disturbed_at[i] = 0
      :: else
      fi;
      i++
    :: else -> break
    od;
    tick = false
  };
  leave_heap()
}

#define has_disturbed (disturbed_at[0] != 0 || disturbed_at[1] != 0)

/* Page by page, while the program goes on. */
inline discard() {
  page = 0;
  do
  :: page < BLOCKS ->
    if
    :: going[page] ->
      atomic {
        assert(!allocated[page]); /* R1 */
        resident[page] = false
      }
    :: else
    fi;
    page++
  :: else -> break
  od
}

/* A turn: sets next, and whether the thread ends. */
inline turn() {
  finish_batch();
  begin_batch();
  if
  :: has_work -> batch_is_open = true; next = work
  :: else -> next = (has_disturbed -> wait : rest)
  fi;
  rests = false;
  if
  :: next == rest ->
#ifdef MUTANT_REST_IN_TWO_STEPS
    rests = (phase == working);
    if
    :: rests -> phase = resting
    :: else
    fi;
#else
    atomic {
      rests = (phase == working);
      if
      :: rests -> phase = resting
      :: else
      fi
    };
#endif
    if
    :: rests ->
#ifdef MUTANT_DETACH_BY_HANDLE
      other = handle;
#else
      other = me;
#endif
      atomic {
        assert(slot[other] == joinable); /* R4 */
        slot[other] = detached
      };
#ifndef MUTANT_NO_SECOND_LOOK
      if
      :: has_disturbed -> disturbed()
      :: else
      fi
#endif
    :: else
    fi
  :: else
  fi
}

proctype Thread(byte me) {
  bool stopped, tick, has_work, rests, got;
  byte i, page, other;
  mtype next;
end_of_thread:
  do
  :: {
      atomic { starts[me] -> starts[me] = false };
      do
      :: waits = true;
        if
        :: stop_event -> stopped = true
        :: !stop_event -> stopped = false /* a tick has passed */
        fi;
        if
        :: stopped -> break
        :: else
        fi;
        atomic {
          stopped = !waits;
          waits = false
        };
        if
        :: stopped -> break
        :: else
        fi;
        tick = true;
        do
        ::
#ifndef MUTANT_WITHOUT_GIL
          take_gil();
#endif
          turn();
#ifdef MUTANT_GIL_IN_SYSTEM_CALL
          if
          :: next == work -> assert(!gil) /* R3 */
          :: else
          fi;
#endif
          d_step {
            if
            :: rests -> slot[me] = none /* it has only to return */
            :: else
            fi;
#ifndef MUTANT_WITHOUT_GIL
            drop_gil()
#endif
          };
          if
          :: next == work -> discard()
          :: else -> break
          fi
        od;
        if
        :: rests -> break
        :: else
        fi
      od;
      atomic {
        if
        :: rests
        :: else -> slot[me] = ended
        fi;
        stopped = false; tick = false; has_work = false; rests = false; got = false;
        i = 0; page = 0; other = 0; next = 0
      }
    } unless {
      atomic {
        killed[me] -> killed[me] = false;
        stopped = false; tick = false; has_work = false; rests = false; got = false;
        i = 0; page = 0; other = 0; next = 0
      }
    }
  od
}

/* With the caller's GIL; only a thread that waits, since that ends without the GIL. */
inline before_fork() {
  atomic {
    got = (phase == working);
    if
    :: got -> phase = changing
    :: else
    fi
  };
  if
  :: got ->
#ifndef MUTANT_STOPS_WHILE_IT_WORKS
    atomic {
      got = waits;
      waits = false
    };
#endif
    if
    :: got ->
      stop_event = true;
      join_thread();
      stopped_for_fork = true;
      phase = resting
    :: else -> phase = working
    fi
  :: else
  fi
}

inline after_fork_in_parent() {
  if
  :: stopped_for_fork -> stopped_for_fork = false; pending = true
  :: else
  fi
}

inline kill_others() {
  d_step {
    other_killed = !other_is_idle;
    other_is_idle = true;
    i = 0;
    do
    :: i < SLOTS ->
      if
      :: slot[i] != none && slot[i] != ended && !starts[i] -> killed[i] = true
      :: else
      fi;
      slot[i] = none;
      starts[i] = false;
      i++
    :: else -> break
    od
  };
  /* Only so that the checker takes them away: nothing of theirs happens any longer. */
  !other_killed && !killed[0] && !killed[1] && !killed[2]
}

inline after_fork_in_child(with_gil) {
  if
  :: phase != off ->
    waits = false;
    stopped_for_fork = false;
    phase = resting;
    if
    :: with_gil ->
#ifndef MUTANT_CHILD_LEAVES_THE_BATCH
      finish_batch();
#endif
      d_step { disturbed_at[0] = 0; disturbed_at[1] = 0 } /* forget_disturbed: its pages are its parent's */
    :: else -> forked_without_gil = true
    fi
  :: else
  fi
}

/* Across the fork the heap's lock is held, so that nobody is in the middle of its lists. */
inline hold_lock() {
#ifdef SHARED
  atomic { !lock -> lock = true }
#else
  skip
#endif
}
inline let_lock_go() {
#ifdef SHARED
  lock = false
#else
  skip
#endif
}

inline fork_with_gil() {
  before_fork();
  hold_lock();
  if
  :: let_lock_go(); after_fork_in_parent()
  :: atomic { kill_others() }; let_lock_go(); after_fork_in_child(true)
  fi
}

/* By C code that has let go of the GIL. Where another thread has it at that moment, the child is lost in any case. */
inline fork_without_gil() {
  atomic {
    !gil && !lock;
    kill_others()
  };
  after_fork_in_child(false)
}

inline stop_releasing() {
  do
  :: atomic { phase != changing -> got = (phase == working); phase = off }; break
  od;
  if
  :: got ->
    stop_event = true;
#ifndef MUTANT_JOINS_WITH_GIL
    drop_gil();
#endif
    join_thread();
#ifndef MUTANT_JOINS_WITH_GIL
    take_gil()
#endif
  :: else
  fi;
#ifndef MUTANT_LEAVES_THE_BATCH
  finish_batch();
#endif
  enter_heap();
  is_watched = false;
  leave_heap();
  assert(slot[0] == none && slot[1] == none && slot[2] == none && !away[0] && !away[1]) /* R5 */
}

proctype Main() {
  byte left = OPERATIONS;
  byte i;
  bool got;
  do
  :: pending -> take_gil(); pending = false; disturbed(); drop_gil()
  :: left > 0 ->
    left--;
    if
    :: take_gil(); enter_heap(); allocate(); leave_heap(); drop_gil()
    :: take_gil(); enter_heap(); free(); leave_heap(); drop_gil()
    :: take_gil(); fork_with_gil(); drop_gil()
    :: fork_without_gil()
    fi
  :: !pending -> break
  od;
#ifdef IDLE
  main_is_idle = true
#else
  take_gil();
  stop_releasing();
  drop_gil()
#endif
}

proctype Other() {
  byte left = OTHER_OPERATIONS;
  byte i;
  bool got;
  {
    do
    :: left > 0 ->
      left--;
      if
#ifdef SHARED
      :: enter_heap(); allocate(); leave_heap()
      :: enter_heap(); free(); leave_heap()
#ifndef IDLE
      :: before_fork(); hold_lock(); let_lock_go(); after_fork_in_parent()
#endif
#else
      :: take_gil(); enter_heap(); allocate(); leave_heap(); drop_gil()
      :: take_gil(); enter_heap(); free(); leave_heap(); drop_gil()
#endif
      fi
    :: else -> break
    od;
    atomic { !other_killed -> other_is_idle = true }
  } unless { other_killed -> other_killed = false }
}

init {
  atomic {
    phase = resting;
    is_watched = true;
    allocated[0] = true; resident[0] = true;
    allocated[1] = true; resident[1] = true;
    allocated[2] = true; resident[2] = true;
    run Thread(0);
    run Thread(1);
    run Thread(2);
    run Other();
    run Main()
  }
}

#ifdef IDLE
/* Once the program is idle, only the one thread takes steps: fairness need not be asked for. */
#define is_idle (main_is_idle && other_is_idle)
#define settled (phase == resting && !batch_is_open && !has_disturbed)
ltl memory_falls { <>[] (!is_idle || settled || forked_without_gil) }
#endif
