#include "client.h"
#include "_cgo_export.h"
#include <stdio.h>
#include <string.h>

static void ignore(const char *message) { (void)message; }

void chronus_silence(void)
{
	jack_set_error_function(ignore);
	jack_set_info_function(ignore);
}

// process runs on JACK's real-time thread.
static int process(jack_nframes_t frames, void *arg)
{
	struct chronus_client *c = arg;
	float *out[chronus_ports_max];
	for (uint32_t i = 0; i < c->channels; i++)
		out[i] = jack_port_get_buffer(c->ports[i], frames);
	chronusProcess(c->handle, jack_last_frame_time(c->jack), frames, out, c->channels);
	return 0;
}

static void changed(struct chronus_client *c) { __atomic_add_fetch(&c->changes, 1, __ATOMIC_SEQ_CST); }

static void registered(jack_port_id_t port, int here, void *arg)
{
	(void)port, (void)here;
	changed(arg);
}

static void connected(jack_port_id_t a, jack_port_id_t b, int on, void *arg)
{
	(void)a, (void)b, (void)on;
	changed(arg);
}

// resized runs before the first call with another period. jackd waits for it, PipeWire does not.
static int resized(jack_nframes_t frames, void *arg)
{
	struct chronus_client *c = arg;
	chronusResized(c->handle, frames);
	return 0;
}

static void ended(jack_status_t code, const char *reason, void *arg)
{
	struct chronus_client *c = arg;
	(void)code;
	if (__atomic_load_n(&c->ended, __ATOMIC_SEQ_CST))
		return;
	snprintf(c->reason, sizeof c->reason, "%s", reason ? reason : "");
	__atomic_store_n(&c->ended, 1, __ATOMIC_SEQ_CST);
}

// shut_down handles PipeWire's library, which may call only jack_on_shutdown's callback.
static void shut_down(void *arg) { ended(JackFailure, "the connection was closed", arg); }

jack_status_t chronus_open(struct chronus_client *c, const char *name, const char *server)
{
	jack_status_t status = 0;
	// libjack knows the default server. PipeWire's ignores JACK_DEFAULT_SERVER.
	if (server)
		c->jack = jack_client_open(name, JackNoStartServer | JackServerName, &status, server);
	else
		c->jack = jack_client_open(name, JackNoStartServer, &status);
	return status;
}

int chronus_activate(struct chronus_client *c)
{
	for (uint32_t i = 0; i < c->channels; i++) {
		char name[16];
		snprintf(name, sizeof name, "out_%u", (unsigned)(i + 1));
		c->ports[i] = jack_port_register(c->jack, name, JACK_DEFAULT_AUDIO_TYPE,
						 JackPortIsOutput | JackPortIsTerminal, 0);
		if (!c->ports[i])
			return -1;
	}
	jack_on_shutdown(c->jack, shut_down, c);
	jack_on_info_shutdown(c->jack, ended, c);
	if (jack_set_process_callback(c->jack, process, c) != 0 ||
	    jack_set_buffer_size_callback(c->jack, resized, c) != 0 ||
	    jack_set_port_registration_callback(c->jack, registered, c) != 0 ||
	    jack_set_port_connect_callback(c->jack, connected, c) != 0)
		return -1;
	return jack_activate(c->jack);
}
