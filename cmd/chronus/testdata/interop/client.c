// Plays with liblo: client udp|tcp PORT. Prints what comes back, a line each.
#include <lo/lo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int left = 6;

static int reply(const char *path, const char *types, lo_arg **argv, int argc, lo_message m, void *user) {
	(void)m; (void)user;
	printf("%s", path);
	for (int i = 0; i < argc; i++) {
		switch (types[i]) {
		case 's': printf(" %s", &argv[i]->s); break;
		case 'i': printf(" %d", argv[i]->i); break;
		case 'h': printf(" %lld", (long long)argv[i]->h); break;
		case 'f': printf(" %g", argv[i]->f); break;
		default: printf(" ?%c", types[i]);
		}
	}
	printf("\n");
	fflush(stdout);
	left--;
	return 0;
}

static void error(int n, const char *what, const char *where) { printf("error %d %s %s\n", n, what, where ? where : ""); }

int main(int argc, char **argv) {
	if (argc != 3)
		return 2;
	int proto = strcmp(argv[1], "tcp") == 0 ? LO_TCP : LO_UDP;
	lo_server from = lo_server_new_with_proto(NULL, proto, error);
	lo_address to = lo_address_new_with_proto(proto, "127.0.0.1", argv[2]);
	if (!from || !to)
		return 1;
	lo_server_add_method(from, NULL, NULL, reply, NULL);
	lo_send_from(to, from, LO_TT_IMMEDIATE, "/mod/filter1/cutoff", "f", 800.0f);
	lo_send_from(to, from, LO_TT_IMMEDIATE, "/mod/filter1/cutof", "i", 800);
	lo_send_from(to, from, LO_TT_IMMEDIATE, "/mod/*/q", "d", 0.5);
	lo_timetag at;
	lo_timetag_now(&at);
	at.frac += 1u << 29; // an eighth of a second
	if (at.frac < 1u << 29)
		at.sec++;
	lo_bundle b = lo_bundle_new(at);
	lo_message freq = lo_message_new(), gate = lo_message_new();
	lo_message_add_float(freq, 300);
	lo_message_add_true(gate);
	lo_bundle_add_message(b, "/engine/freq", freq);
	lo_bundle_add_message(b, "/gate/adsr1", gate);
	lo_send_bundle_from(to, from, b);
	lo_send_from(to, from, LO_TT_IMMEDIATE, "/engine/status", "");
	for (int wait = 0; left > 0 && wait < 500; wait++)
		lo_server_recv_noblock(from, 20); // by TCP it may have read several at once, and wait for more
	return left > 0;
}
