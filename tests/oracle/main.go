// Answers, line by line, how Kubernetes' own code reads image references and quantities.
//
// The tests of podsight-spec write one JSON object a line to its standard input and compare the answers with their own.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	_ "crypto/sha256" // go-digest accepts the algorithms that are linked in, as in the kubelet.
	_ "crypto/sha512"
	"github.com/distribution/reference"
	inf "gopkg.in/inf.v0"
	"k8s.io/apimachinery/pkg/api/resource"
)

type question struct {
	Image    *string `json:"image"`
	Quantity *string `json:"quantity"`
}

type answer struct {
	Valid bool `json:"valid"`
	// Of an image.
	Path   string `json:"path,omitempty"`
	Tag    string `json:"tag,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Of a quantity; absent where the amount does not fit into 64 bits.
	Value *int64 `json:"value,omitempty"`
	Milli *int64 `json:"milli,omitempty"`
}

// The kubelet: pkg/util/parsers.ParseImageName.
func image(text string) answer {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return answer{}
	}
	result := answer{Valid: true, Path: reference.Path(named)}
	if tagged, ok := named.(reference.Tagged); ok {
		result.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		result.Digest = digested.Digest().String()
	}
	return result
}

func quantity(text string) answer {
	parsed, err := resource.ParseQuantity(text)
	if err != nil {
		return answer{}
	}
	result := answer{Valid: true}
	value, milli := parsed.Value(), parsed.MilliValue()
	amount := parsed.AsDec()
	// Below zero ScaledValue rounds in three ways and overflows; the API server refuses such amounts, so their sign is all that counts.
	if amount.Sign() >= 0 && amount.Scale() > -100 {
		fits := func(scale inf.Scale) bool {
			rounded := new(inf.Dec).Round(amount, scale, inf.RoundUp)
			return new(inf.Dec).SetUnscaledBig(rounded.UnscaledBig()).UnscaledBig().IsInt64()
		}
		if fits(0) {
			result.Value = &value
		}
		if fits(3) {
			result.Milli = &milli
		}
	}
	return result
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, "cannot read the question:", err)
			os.Exit(1)
		}
		var given answer
		if asked.Image != nil {
			given = image(*asked.Image)
		} else if asked.Quantity != nil {
			given = quantity(*asked.Quantity)
		}
		if err := encoder.Encode(given); err != nil {
			fmt.Fprintln(os.Stderr, "cannot write the answer:", err)
			os.Exit(1)
		}
	}
}
