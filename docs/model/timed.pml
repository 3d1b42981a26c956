/* The failover protocol in time: calls of the device, leads, and concealment. failover.pml models
 * the content of blocks.
 *
 * A call comes when every worker has done what it can until then: at most K blocks each, and none
 * while it hangs. The call plays P blocks, checks the lead, and wakes the workers. Faults come one
 * at a time, each when the engine is whole again, at any step of any worker. Properties:
 *   nothing is concealed, with a full lead
 *   no ready worker that could be played waits while all is silent
 *
 * Sizes and budgets are -D options. NO_name switches a rule off; then its bug must come back. */

#ifndef NB           /* blocks to play */
#define NB 12
#endif
#ifndef P            /* blocks that the device takes per call */
#define P 1
#endif
#ifndef GUARD
#define GUARD 2
#endif
#ifndef LEAD
#define LEAD (2*P+GUARD)
#endif
#ifndef K            /* blocks that a worker renders between two calls; below 2*P the second fault is audible at P=3 */
#define K (2*P)
#endif
#ifndef FAULTS       /* kills and hangs */
#define FAULTS 1
#endif
#ifndef LEADS        /* changes of the lead, between LEAD and LEAD+MORE, at any call */
#define LEADS 0
#endif
#ifndef MORE
#define MORE 2
#endif
#ifndef TOLD         /* calls until a death is detected */
#define TOLD 1
#endif
#ifndef HANG         /* most calls that a hang lasts; it may end earlier */
#define HANG 4
#endif
#ifndef BEHIND       /* blocks that a successor may be behind */
#define BEHIND P
#endif
#ifndef OLD          /* greatest age of a joiner's state, in blocks */
#define OLD 2
#endif
#define NONE 255

byte act, ready, clock, wake, lead=LEAD, leads, before;  /* before: lead before it was raised; 0: filled */
#define KEEPSUP (pub[act]>=clock+(before && before<lead -> before : lead))
byte pub[2], base[2];                 /* heads; first blocks */
byte credit[2], hung[2], news[2];
bool alive[2], asleep[2], dead[2], start[2];
byte faults, silent;

#define HAS(k) (pub[k]>clock && base[k]<=clock)
#define READY(k) ((ready>>(k))&1)
#define FULL(k) (alive[k] && !hung[k] && pub[k]+P>=clock+lead)
#ifdef NO_READY      /* and nothing else checks whether the slot is ready */
#define ABLE alive[1-act] && !hung[1-act]
#else
#define ABLE FULL(1-act)
#endif
#define STEADY (faults<FAULTS && clock>P && clock+P<NB && ready==3 && FULL(act) && ABLE)
#define RING wake=(wake+1)%8; asleep[0]=0; asleep[1]=0

#define CAN (alive[me] && !hung[me])
#define FATE(here) \
	:: atomic { STEADY && CAN -> faults++; alive[me]=0; dead[me]=1; news[me]=TOLD; asleep[me]=0; n=0; w=0; goto OFF } \
	:: atomic { STEADY && CAN -> faults++; hung[me]=HANG; goto here }

proctype Worker(byte me) {
	byte n, w;
OFF:	end_off: atomic { start[me] -> start[me]=0; n=base[me] };
LOOK:	end_look: /* read the wake word before the conditions */
	if FATE(LOOK)
	:: atomic { CAN -> w=wake }
	fi;
TEST:	end_test:
	if FATE(TEST)
	:: atomic { CAN && credit[me] && n<clock+lead && (act==me || pub[act]>n) -> credit[me]--; goto RENDER }
	:: atomic { CAN && !(n<clock+lead && (act==me || pub[act]>n)) -> goto SLEEP }
	fi;
SLEEP:	end_sleep:
	if FATE(SLEEP)
	:: atomic { CAN && wake!=w -> goto LOOK }
	:: atomic { CAN && wake==w -> asleep[me]=1 }
	fi;
ASLEEP:	end_asleep:
	if FATE(ASLEEP)
	:: atomic { CAN && !asleep[me] -> goto LOOK }
	fi;
RENDER:	end_render:
	if FATE(RENDER)
	:: atomic { CAN -> pub[me]=n+1; n++; goto LOOK }
	fi
}

/* The successor of y: the other worker, if it is ready. */
#ifdef NO_READY
#define HEIR(y) alive[1-(y)]
#else
#define HEIR(y) READY(1-(y))
#endif
#define ABREAST(y) (pub[1-(y)]+BEHIND>=pub[y])
#ifdef NO_CALL
#define SHORT (pub[act]<clock+GUARD)
#else
#define SHORT (pub[act]<clock+GUARD+P-1)
#endif

proctype Audio() {
	byte i; bool healthy;
CALL:	end_call:
	if
	:: atomic { timeout && clock<NB ->
		healthy=KEEPSUP;
		if :: pub[act]>=clock+lead -> before=0 :: else fi;
		if
		:: leads<LEADS -> leads++;
			if
			:: lead==LEAD -> before=lead; lead=LEAD+MORE
			:: lead!=LEAD -> before=0; lead=LEAD
			fi
		:: (1)
		fi;
		for (i : 1 .. P) {
			if
			:: HAS(0) || HAS(1) -> clock++; silent=0
			:: else ->
#ifndef CONCEALS
				assert(false);
#endif
				silent++; assert(silent<=3*P+OLD+HANG*P)
			fi
		}
		if :: SHORT && !healthy && HEIR(act) && ABREAST(act) -> act=1-act :: else fi;
		for (i : 0 .. 1) {
			credit[i]=K;
			if :: hung[i] -> if :: hung[i]-- :: hung[i]=0 fi :: else fi;
			if :: news[i] -> news[i]-- :: else fi
		}
		i=0; healthy=0;
#ifdef NO_WAKE       /* wake only when the clock moves */
		if :: !silent -> RING :: else fi;
#else
		RING;
#endif
		goto CALL }
	/* a death is detected: clear the bit, activate the successor, wake all */
	:: atomic { dead[0] && news[0]==0 && READY(0) -> i=0; goto DEPOSE }
	:: atomic { dead[1] && news[1]==0 && READY(1) -> i=1; goto DEPOSE }
	fi;
DEPOSE:	atomic { ready=ready&~(1<<i);
		if :: act==i && HEIR(i) -> act=1-i :: else fi;
#ifndef NO_WAKE
		RING;
#endif
		i=0; goto CALL }
}

/* A dead worker's slot gets a new worker, with a state that is some blocks old. */
proctype Engine() {
	byte x;
S:	end_s:
	if
	:: atomic { dead[0] && !READY(0) && act!=0 && clock>=pub[0] && alive[1] && !hung[1] -> x=0; goto JOIN }
	:: atomic { dead[1] && !READY(1) && act!=1 && clock>=pub[1] && alive[0] && !hung[0] -> x=1; goto JOIN }
	:: atomic { alive[0] && !READY(0) && !start[0] && pub[0]+1>=pub[act] && clock>=base[0] -> ready=ready|1; goto S }
	:: atomic { alive[1] && !READY(1) && !start[1] && pub[1]+1>=pub[act] && clock>=base[1] -> ready=ready|2; goto S }
	fi;
JOIN:	atomic { base[x]=pub[1-x];
		if :: base[x]>=OLD -> base[x]=base[x]-OLD :: skip fi;
		dead[x]=0; alive[x]=1; start[x]=1; pub[x]=base[x]; credit[x]=K;
#ifdef NO_READY
		ready=ready|(1<<x);
#endif
		x=0; goto S }
}

init { atomic {
	byte i;
	for (i : 0 .. 1) { alive[i]=1; start[i]=1; credit[i]=LEAD }
	i=0; ready=3; run Worker(0); run Worker(1); run Audio(); run Engine()
} }
