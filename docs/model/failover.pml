/* The failover protocol without time: which content a block has. Workers decide, render, seal,
 * publish and join. The callback plays. The engine handles the death of one worker, of all workers,
 * and its own. spin tries every interleaving of single steps. A process that hangs, or is stopped
 * for a while, is one that is not scheduled. timed.pml models time and lead.
 *
 * Assertions, each where the property could break:
 *   copies     all published copies of a block have the same content
 *   order      the callback plays every block in order, from a ring that holds it, and no worker
 *              overwrites the block meanwhile
 *   decided    the decision of a published block never changes
 *   progress   the sound goes on if a living worker can go on (the timeout in Watch)
 *
 * Sizes and budgets are -D options. NO_name switches a rule off; then its bug must come back. */

#ifndef W            /* slots */
#define W 2
#endif
#ifndef NB           /* blocks to play */
#define NB 3
#endif
#ifndef LEAD
#define LEAD 2
#endif
#ifndef R            /* blocks of a ring, at least LEAD */
#define R 2
#endif
#ifndef LAPS         /* decisions in the journal; the engine's has 65,536 */
#define LAPS 8
#endif
#ifndef NC           /* commands */
#define NC 1
#endif
#ifndef CAP          /* commands that a ring holds */
#define CAP 2
#endif
#ifndef KILLS        /* kills from outside, at any step */
#define KILLS 1
#endif
#ifndef OWN          /* crashes of a worker by a command that it has just taken */
#define OWN 0
#endif
#ifndef FLIPS        /* needless flips by the callback */
#define FLIPS 1
#endif
#ifndef JOINS
#define JOINS 1
#endif
#ifndef LEADS        /* changes of the lead by the callback, to 1 or to the whole ring */
#define LEADS 0
#endif
#ifndef DEATHS       /* deaths of the engine; each time another engine takes over */
#define DEATHS 0
#endif

#define NONE 255
#define WRITING 254

/* A decision: the lap, which tells block n from n-LAPS; then SKIP, SEAL, and the last command plus 1. */
#define SKIP 8
#define SEAL 16
#define LAP(n) (((n)/LAPS)*32)
#define SEQ(d) (((d)&7)-1)
#ifdef NO_LAP
#define OF(d,n) (((d)&7) && ((d)/32)>=((n)/LAPS))
#define LATER(d,n) 0
#else
#define OF(d,n) (((d)&7) && ((d)/32)==((n)/LAPS))
#define LATER(d,n) (((d)&7) && ((d)/32)>((n)/LAPS))
#endif

/* Shared memory. The active word is epoch, act and ready: every change compares and swaps all three. */
byte epoch, act, ready;
byte clock, committed, lead=LEAD, leads;
byte D[LAPS];
byte pub[W], hdr[W*R];               /* heads; block number plus 1, at n mod R */
byte tail[W], took[W], pay[W*4];     /* command rings */
byte poison[W];                      /* status: block in which the worker crashed, plus 1; 0: none */

/* Processes. A worker that is being killed loses its liveness word first, and may take some more steps. */
bool dying[W], gone[W], alive[W], start[W], started[W], attached[W];

/* The engine's own memory, and what the next engine finds: the log and the checkpoint. */
byte log[4];
byte kn, kq, k1, k2;                 /* checkpoint: next block, last command, content of the commands */

/* Snapshots: one request at a time. */
byte asked; bool given; byte gn, gq, g1, g2;
byte sn[W], sq[W], s1[W], s2[W];     /* initial states */

/* Ghost variables, for assertions only. */
byte t1[NB], t2[NB]; bool was[NB];   /* the content of the first published copy */
byte kills, own, flips, joins, deaths, engines, next_pay = 1;
bool busy;                           /* an engine holds the lock */

#if W==2
#define EACH(x) x(0) x(1)
#define ALLGONE (!alive[0] && !alive[1])
#define NOBODY(n) (pub[0]<=(n) && pub[1]<=(n))
#define OWNED(n) ((poison[0]==(n)+1 && !alive[0]) || (poison[1]==(n)+1 && !alive[1]))
#define NOTICE (gone[0] || gone[1])
#define ANYHAS (HAS(0) || HAS(1))
#define ANYROOM (ROOM(0) || ROOM(1))
#define ANYATTACHED (attached[0] || attached[1])
#define ATTACHMENTS (attached[0]|(attached[1]<<1))
#define ANYLIFE (LIFE(0) || LIFE(1))
#else
#define ALLGONE (!alive[0] && !alive[1] && !alive[2])
#define NOBODY(n) (pub[0]<=(n) && pub[1]<=(n) && pub[2]<=(n))
#define OWNED(n) ((poison[0]==(n)+1 && !alive[0]) || (poison[1]==(n)+1 && !alive[1]) || (poison[2]==(n)+1 && !alive[2]))
#define NOTICE (gone[0] || gone[1] || gone[2])
#define ANYHAS (HAS(0) || HAS(1) || HAS(2))
#define ANYROOM (ROOM(0) || ROOM(1) || ROOM(2))
#define ANYATTACHED (attached[0] || attached[1] || attached[2])
#define ATTACHMENTS (attached[0]|(attached[1]<<1)|(attached[2]<<2))
#define ANYLIFE (LIFE(0) || LIFE(1) || LIFE(2))
#endif

#define READY(x) (ready & (1<<(x)))
#ifdef NO_HEADER
#define HAS(k) (pub[k]>clock)
#else
#define HAS(k) (pub[k]>clock && hdr[(k)*R+(clock%R)]==clock+1)
#endif
#define ROOM(x) (attached[x] && tail[x]-took[x]<CAP)
#define LIFE(x) (dying[x] && READY(x))

#define FORGET n=0; d=0; q=0; e1=0; e2=0; v=0
#define DIE(p) atomic { poison[me]=p; alive[me]=0; dying[me]=0; gone[me]=1; FORGET; goto OFF }
#define FATE   :: atomic { dying[me] -> DIE(0) } \
               :: atomic { kills<KILLS && !dying[me] -> kills++; dying[me]=1 }

proctype Worker(byte me) {
	byte n, d, q, e1, e2, v;
OFF:	end_off:
	atomic { start[me] -> start[me]=0; poison[me]=0;
		n=sn[me]; q=sq[me]; e1=s1[me]; e2=s2[me]; sn[me]=0; sq[me]=0; s1[me]=0; s2[me]=0 }
WAIT:	end_wait: /* 1, 2: within the lead, and after the active worker has published the block */
	if
	FATE; goto WAIT
	:: atomic { asked==me+1 && !given -> given=1; gn=n; gq=q; g1=e1; g2=e2; goto WAIT }
	:: atomic { n<NB && n<clock+lead && (act==me || pub[act]>n) -> goto READ }
	fi;
READ:	end_read: /* 3: only then the decision; the active worker makes it */
	if
	FATE; goto READ
	:: atomic { LATER(D[n%LAPS],n) -> DIE(0) }
	:: atomic { OF(D[n%LAPS],n) -> d=D[n%LAPS]; goto POISON }
	:: atomic { !OF(D[n%LAPS],n) && !LATER(D[n%LAPS],n) && act==me ->
#ifdef NO_COMMITTED
		v=tail[me];
#else
		v=(committed<tail[me] -> committed : tail[me]);
#endif
		if :: v<q -> v=q :: else fi; goto CAS }
	:: atomic { !OF(D[n%LAPS],n) && act!=me -> goto WAIT }
	fi;
CAS:	if
	FATE; goto CAS
	:: atomic { (1) -> if :: !OF(D[n%LAPS],n) && !LATER(D[n%LAPS],n) -> D[n%LAPS]=LAP(n)|(v+1) :: else fi; v=0; goto READ }
	fi;
POISON:	/* an unsealed decision of a block in which a worker crashed: leave its commands out */
	if
	FATE; goto POISON
	:: atomic { act==me && OWNED(n) && !(d&(SKIP|SEAL)) ->
		if :: D[n%LAPS]==d -> assert(!was[n]); D[n%LAPS]=d|SKIP :: else fi; d=D[n%LAPS];
		if :: OF(d,n) -> goto TAKE :: else -> DIE(0) fi }
	:: atomic { !(act==me && OWNED(n) && !(d&(SKIP|SEAL))) -> goto TAKE }
	fi;
TAKE:	end_take: /* 4: take the commands up to the decision, wait for missing ones */
	if
	FATE; goto TAKE
	:: atomic { own<OWN && tail[me]>=SEQ(d) && !(d&SKIP) && q<SEQ(d) && pay[me*4+SEQ(d)] -> own++; DIE(n+1) }
	:: atomic { tail[me]>=SEQ(d) ->
		if :: SEQ(d)>=1 && q<1 && pay[me*4+1] -> e1=(pay[me*4+1]<<4)|(d&SKIP)|(n+1) :: else fi;
		if :: SEQ(d)>=2 && q<2 && pay[me*4+2] -> e2=(pay[me*4+2]<<4)|(d&SKIP)|(n+1) :: else fi;
		q=(q<SEQ(d) -> SEQ(d) : q); took[me]=q; hdr[me*R+(n%R)]=WRITING; goto WRITE }
	fi;
WRITE:	if
	FATE; goto WRITE
	:: atomic { (1) -> hdr[me*R+(n%R)]=n+1; goto SEALIT }
	fi;
SEALIT:	/* 5: seal the block, or do not publish it */
	if
	FATE; goto SEALIT
	:: atomic { (1) ->
#ifndef NO_SEAL
		if :: (D[n%LAPS]|SEAL)==(d|SEAL) -> D[n%LAPS]=D[n%LAPS]|SEAL :: else -> DIE(0) fi;
#endif
		goto PUBLISH }
	fi;
PUBLISH:
	if
	FATE; goto PUBLISH
	:: atomic { (1) -> pub[me]=n+1;
		if :: was[n] -> assert(t1[n]==e1 && t2[n]==e2) :: else -> was[n]=1; t1[n]=e1; t2[n]=e2 fi;
		n++; d=0; goto WAIT }
	fi
}

/* The successor: a ready slot with the highest head; any, if heads are equal. */
#if W>2
#define AHEAD2(f,y) (f!=2 && READY(2) && pub[2]>pub[y])
#else
#define AHEAD2(f,y) 0
#endif
inline heir(to, from) {
	to=NONE;
	if
	:: from!=0 && READY(0) && !(from!=1 && READY(1) && pub[1]>pub[0]) && !AHEAD2(from,0) -> to=0
	:: from!=1 && READY(1) && !(from!=0 && READY(0) && pub[0]>pub[1]) && !AHEAD2(from,1) -> to=1
#if W>2
	:: from!=2 && READY(2) && !(from!=0 && READY(0) && pub[0]>pub[2]) && !(from!=1 && READY(1) && pub[1]>pub[2]) -> to=2
#endif
	:: else
	fi
}
#define OTHERS (ready & ~(1<<act))
#define BUMP epoch=(epoch+1)%16

/* The audio process: the callback, and the thread that learns of deaths first. */
proctype Audio() {
	byte k, fe, fa, to=NONE;
A:	end_a:
	if
	:: atomic { clock<NB && ANYHAS ->
		if :: HAS(act) -> k=act
		:: else -> if :: HAS(0) -> k=0 :: HAS(1) -> k=1
#if W>2
			:: HAS(2) -> k=2
#endif
			fi
		fi; goto COPY }
	:: atomic { clock<NB && OTHERS && (flips<FLIPS || (!alive[act] && !ANYHAS)) ->
		if :: !alive[act] && !ANYHAS :: else -> flips++ fi; fe=epoch; fa=act; heir(to,fa); goto FLIP }
	:: atomic { leads<LEADS && clock<NB -> leads++; if :: lead=1 :: lead=R fi }; goto A
	:: atomic { ANYLIFE -> /* remove the worker: clear its bit and activate its successor, in one CAS */
		if :: LIFE(0) -> k=0 :: LIFE(1) -> k=1
#if W>2
		:: LIFE(2) -> k=2
#endif
		fi; fe=epoch; fa=act; to=act;
		if :: act==k -> heir(to,k); if :: to==NONE -> to=act :: else fi :: else fi; goto DEPOSE }
	fi;
COPY:	assert(hdr[k*R+(clock%R)]==clock+1);
	atomic { assert(hdr[k*R+(clock%R)]==clock+1); assert(was[clock]); clock++; k=0; goto A };
FLIP:	atomic { if :: to!=NONE && epoch==fe && act==fa -> BUMP; act=to :: else fi; to=NONE; fe=0; fa=0; goto A };
DEPOSE:	atomic { if :: epoch==fe -> BUMP; ready=ready&~(1<<k); act=to :: else fi; to=NONE; fe=0; fa=0; k=0; goto A }
}

#define EMPTY(x) (!started[x] && !gone[x] && !attached[x] && act!=(x))
#ifdef NO_RETIRE
#define PLAYED(x) 1
#else
#define PLAYED(x) (clock>=pub[x])
#endif
#if W==2
#define ALLPLAYED (PLAYED(0) && PLAYED(1))
#else
#define ALLPLAYED (PLAYED(0) && PLAYED(1) && PLAYED(2))
#endif
#ifdef NO_ATTACH
#define IN(x) (attached[x] && (bm & (1<<(x))))
#else
#define IN(x) attached[x]
#endif

/* The engine. Its own memory dies with it. The next engine finds the log in the rings, and the
 * checkpoint in its segment. */
proctype Engine() {
	byte x, fe, fx=NONE, to=NONE, jx=NONE, js, bk, bp, bm, g=NONE;
#ifndef NO_LOCK
	atomic { !busy -> busy=1 };
#endif
	/* take over: kill workers that were attached but not started, keep the others */
	atomic { asked=0; given=0; x=0;
		do
		:: x<W -> if
			:: attached[x] && !started[x] -> attached[x]=0; sn[x]=0; sq[x]=0; s1[x]=0; s2[x]=0
			:: started[x] && !READY(x) && jx==NONE && !gone[x] -> jx=x; js=3
			:: else
			fi; x++
		:: else -> break
		od; x=0;
#ifndef NO_RECOVER
		/* complete a partial broadcast */
		if
		:: attached[0] && tail[0]==committed+1 -> bk=tail[0]; bp=pay[0*4+bk]
		:: attached[1] && tail[1]==committed+1 -> bk=tail[1]; bp=pay[1*4+bk]
#if W>2
		:: attached[2] && tail[2]==committed+1 -> bk=tail[2]; bp=pay[2*4+bk]
#endif
		:: else
		fi; bm=7;
#endif
	};
S:	end_s:
	if
	:: atomic { deaths<DEATHS -> deaths++; run Engine();
#ifndef NO_LOCK
		fx=NONE; to=NONE; fe=0; jx=NONE; js=0; bk=0; bp=0; bm=0; g=NONE; busy=0; goto DEAD
#else
		goto S /* the worker was only stopped, and may go on later */
#endif
	}
	/* a process has ended: its slot may get a new one. Activating another slot is a CAS */
	:: atomic { fx==NONE && NOTICE && !ALLGONE ->
		if :: gone[0] -> fx=0 :: gone[1] -> fx=1
#if W>2
		:: gone[2] -> fx=2
#endif
		fi; fe=epoch; to=act;
		if
		:: act==fx -> heir(to,fx);
			if :: to==NONE && js==3 && jx!=fx && !gone[jx] -> to=jx :: else fi;
			if :: to==NONE -> fx=NONE; fe=0; goto LONELY :: else fi
		:: else
		fi; goto S }
	:: atomic { fx!=NONE ->
		if
		:: epoch==fe -> BUMP; ready=ready&~(1<<fx); act=to; gone[fx]=0; attached[fx]=0; started[fx]=0;
			if :: jx==fx -> jx=NONE; js=0 :: else fi
		:: else
		fi; fx=NONE; to=NONE; fe=0; goto S }
	/* all have ended: restart all from the checkpoint, with every command since */
	:: atomic { ALLGONE && ALLPLAYED && fx==NONE && joins<JOINS && clock<NB -> joins++;
		if /* if they crashed in the same block, remove its commands from the log */
		:: OWNED(clock) && OF(D[clock%LAPS],clock) && !(D[clock%LAPS]&SKIP) ->
			assert(!was[clock] && NOBODY(clock));
			if :: clock>kn -> bm=SEQ(D[(clock-1)%LAPS])+1 :: else -> bm=kq+1 fi;
			do :: bm<=SEQ(D[clock%LAPS]) -> log[bm]=0; bm++ :: else -> break od; bm=0
		:: else
		fi;
		x=0; do
		:: x<W -> gone[x]=0; poison[x]=0; started[x]=1; attached[x]=1; alive[x]=1; start[x]=1;
			sn[x]=kn; sq[x]=kq; s1[x]=k1; s2[x]=k2; pub[x]=kn; took[x]=kq; tail[x]=committed;
			pay[x*4+1]=(kq<1 -> log[1] : 0); pay[x*4+2]=(kq<2 -> log[2] : 0);
			fe=0; do :: fe<R -> hdr[x*R+fe]=0; fe++ :: else -> break od; fe=0;
			x++
		:: else -> break
		od; x=0; BUMP; ready=(1<<W)-1; jx=NONE; js=0; bk=0; bp=0; asked=0; given=0; gn=0; gq=0; g1=0; g2=0; goto S }
	/* a joiner: request a snapshot, fill the ring, start the process; set ready when it is one block behind */
	:: atomic { jx==NONE && joins<JOINS && fx==NONE && !ALLGONE && (EMPTY(0) || EMPTY(1)
#if W>2
		|| EMPTY(2)
#endif
		) -> if :: EMPTY(0) -> jx=0 :: EMPTY(1) -> jx=1
#if W>2
		:: EMPTY(2) -> jx=2
#endif
		fi; joins++; g=act; js=1; asked=g+1; goto S }
	:: atomic { js==1 && gone[g] && !given -> js=0; jx=NONE; g=NONE; asked=0; joins--; goto S }
	:: atomic { js==1 && given && PLAYED(jx) ->
		kn=(gn<=clock -> gn : kn); kq=(gn<=clock -> gq : kq); k1=(gn<=clock -> g1 : k1); k2=(gn<=clock -> g2 : k2); /* new checkpoint */
		given=0; asked=0; g=NONE; sn[jx]=gn; sq[jx]=gq; s1[jx]=g1; s2[jx]=g2; pub[jx]=gn; poison[jx]=0;
		x=0; do :: x<R -> hdr[jx*R+x]=0; x++ :: else -> break od; x=0;
		tail[jx]=(committed>gq -> committed : gq); took[jx]=gq;
		pay[jx*4+1]=(gq<1 && committed>=1 -> log[1] : 0); pay[jx*4+2]=(gq<2 && committed>=2 -> log[2] : 0);
		gn=0; gq=0; g1=0; g2=0; attached[jx]=1; js=2; goto S }
	:: atomic { js==2 -> alive[jx]=1; start[jx]=1; started[jx]=1; js=3; goto S }
	:: atomic { js==3 && fx==NONE && !gone[jx] && !dying[jx] && !READY(jx) && !start[jx] && pub[jx]+1>=pub[act] -> BUMP; ready=ready|(1<<jx); jx=NONE; js=0; goto S }
	/* a command: put it into every ring, then commit. Kill a worker with a full ring; if all are full, refuse */
	:: atomic { bk==0 && committed<NC && ANYATTACHED && ANYROOM -> bk=committed+1; bp=next_pay; next_pay++;
		bm=ATTACHMENTS; goto S }
#ifdef NO_KILLFULL
#define FULL(y) attached[y]=0
#else
#define FULL(y) attached[y]=0; if :: alive[y] && !dying[y] -> dying[y]=1 :: else fi
#endif
#define PUT(y) :: IN(y) && tail[y]==bk-1 -> if :: tail[y]-took[y]<CAP || !alive[y] -> pay[y*4+bk]=bp; tail[y]=bk :: else -> FULL(y) fi
	:: atomic { bk!=0 ->
		if
		PUT(0)
		PUT(1)
#if W>2
		PUT(2)
#endif
		:: else -> if :: committed<bk -> committed=bk :: else fi; log[bk]=bp; bk=0; bp=0; bm=0
		fi; goto S }
	fi;
LONELY:	end_lonely: /* no ready worker: wait */
	atomic { ALLGONE || OTHERS || !gone[act] -> goto S };
DEAD:	end_dead: false
}

/* When no step is possible, everything was played, or no worker lives and the budget of joins is used up. */
proctype Watch() {
	end_w: timeout -> assert(clock==NB || (ALLGONE && joins==JOINS) || (!alive[act] && joins==JOINS))
}

init {
	atomic {
		byte i=0;
		do
		:: i<W -> alive[i]=1; started[i]=1; attached[i]=1; start[i]=1; ready=ready|(1<<i); i++
		:: else -> break
		od;
		i=0; do :: i<W -> run Worker(i); i++ :: else -> break od; i=0;
		run Audio(); run Engine(); run Watch()
	}
}
