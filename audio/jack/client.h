#include <jack/jack.h>
#include <stdint.h>

enum { chronus_ports_max = 64, chronus_reason_max = 128 };

// chronus_client is a JACK client with output ports. Go reads changes and ended atomically.
struct chronus_client {
	jack_client_t *jack;
	jack_port_t *ports[chronus_ports_max];
	uint32_t channels;
	uint32_t handle;  // of the stream in Go
	uint32_t changes; // counts ports and connections of the graph that came or went
	uint32_t ended; // 1: the server has ended for this reason
	char reason[chronus_reason_max];
};

void chronus_silence(void);
jack_status_t chronus_open(struct chronus_client *c, const char *name, const char *server);
int chronus_activate(struct chronus_client *c);
