package suite

// Driver is a client library under test.
type Driver struct {
	Name  string
	Start func() (Session, error)
}

// Session takes calls, one at a time, and answers each with one line of JSON. An error means that
// it is broken and can take no more.
type Session interface {
	Call(words ...string) ([]byte, error)
	Close()
}

// Pure is what a session in this process can show beyond its calls: functions that the library
// has and no client shows.
type Pure interface {
	// Combine makes one value of the replies of several nodes.
	Combine(policy string, replies []Value) (Value, error)
	// Agree says which view wins, by its index.
	Agree(views []View, asked int, last bool) (int, error)
	// Dial gives the form of an address that a connection is made with.
	Dial(address string) (string, error)
}

// View is what one node says of the cluster.
type View struct {
	Ranges []Range
	Epoch  uint64
}
