/* The control beside an engine: a JACK client that plays a sine and does nothing else.
   sine NAME FREQUENCY PORT... connects its output to every PORT and plays until SIGINT or SIGTERM.
   At its end it prints: cycles, the largest period, the xruns that the server reported. */
#include <jack/jack.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static jack_port_t *out;
static double phase, step;
static unsigned long cycles, xruns, largest;

static int process(jack_nframes_t frames, void *arg)
{
	float *to = jack_port_get_buffer(out, frames);
	(void)arg;
	for (jack_nframes_t i = 0; i < frames; i++) {
		to[i] = (float)(0.5 * sin(2 * M_PI * phase));
		if ((phase += step) >= 1)
			phase -= 1;
	}
	cycles++;
	if (frames > largest)
		largest = frames;
	return 0;
}

static int xrun(void *arg)
{
	(void)arg;
	xruns++;
	return 0;
}

int main(int argc, char **argv)
{
	sigset_t ends;
	int sig;
	jack_client_t *client;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	if (argc < 4 || !(client = jack_client_open(argv[1], JackNoStartServer, NULL))) {
		fprintf(stderr, "sine: no JACK server, or no name, frequency and port\n");
		return 1;
	}
	step = atof(argv[2]) / jack_get_sample_rate(client);
	out = jack_port_register(client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
	jack_set_process_callback(client, process, NULL);
	jack_set_xrun_callback(client, xrun, NULL);
	if (!out || jack_activate(client)) {
		fprintf(stderr, "sine: cannot be activated\n");
		return 1;
	}
	for (int i = 3; i < argc; i++) {
		int left = 500;
		while (jack_connect(client, jack_port_name(out), argv[i]) && left--)
			usleep(10000);
		if (left < 0) {
			fprintf(stderr, "sine: no port %s\n", argv[i]);
			return 1;
		}
	}
	printf("playing\n");
	fflush(stdout);
	sigwait(&ends, &sig);
	jack_client_close(client);
	printf("%lu cycles, largest period %lu, %lu xruns\n", cycles, largest, xruns);
	return 0;
}
