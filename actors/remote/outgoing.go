package remote

import (
	"context"
	"fmt"
	"sync"

	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"
)

// maxQueued bounds the messages that wait for one peer. protoactor's queue has no bound, so a peer
// that asks without reading the answers could fill the memory.
const maxQueued = 4096

// outgoing counts the messages that wait for each peer.
type outgoing struct {
	mu     sync.Mutex
	queued map[string]int // by address
}

// add counts a message to an address. It returns false if the caller must drop the message.
func (o *outgoing) add(address string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queued[address] >= maxQueued {
		return false
	}
	o.queued[address]++
	return true
}

// sent subtracts n messages that were sent.
func (o *outgoing) sent(address string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if left := o.queued[address] - n; left > 0 {
		o.queued[address] = left
	} else {
		delete(o.queued, address)
	}
}

// ended forgets a peer whose connection ended: protoactor drops the queue.
func (o *outgoing) ended(event any) {
	if e, ok := event.(*protoremote.EndpointTerminatedEvent); ok {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.queued, e.Address)
	}
}

// countedClientStream counts the messages that a stream sends.
type countedClientStream struct {
	grpc.ClientStream
	out     *outgoing
	address string
}

// SendMsg implements grpc.ClientStream.
func (c countedClientStream) SendMsg(m any) error {
	err := c.ClientStream.SendMsg(m) // blocks while the peer does not read
	if rm, ok := m.(*protoremote.RemoteMessage); ok {
		c.out.sent(c.address, len(rm.GetMessageBatch().GetEnvelopes()))
	}
	return err
}

// count implements grpc.StreamClientInterceptor.
func (i *Interceptor) count(ctx context.Context, d *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	next grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
	cs, err := next(ctx, d, cc, method, o...)
	if err != nil {
		return nil, err
	}
	return countedClientStream{cs, &i.out, cc.Target()}, nil
}

// mayAnswer reports whether one more message may wait for a peer, and counts it.
func (i *Interceptor) mayAnswer(address string) bool {
	if address == i.system.Address() || i.out.add(address) {
		return true
	}
	i.rejectFrom(address, "slow_peer",
		fmt.Sprintf("%d messages wait: the peer does not read its answers; more are dropped", maxQueued))
	return false
}

// DialOptions returns the options with which a remote should connect to its peers, except
// credentials. Keepalive finds a lost peer, and the interceptor counts the messages that wait for
// each peer.
func (i *Interceptor) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveTime, Timeout: keepaliveWait, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: dialWait}),
		grpc.WithReadBufferSize(bufferSize), grpc.WithWriteBufferSize(bufferSize),
		grpc.WithChainStreamInterceptor(i.count), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	}
}
