package fetch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"peerconf/vpn"
)

// config is the aliyun CLI's file of profiles. It is read here and not by a
// library: theirs print the whole file, keys and all, when it is malformed.
type config struct {
	path     string
	Current  string    `json:"current"`
	Profiles []profile `json:"profiles"`
}

// profile has the fields by the names of the aliyun CLI.
type profile struct {
	Name            string `json:"name"`
	Mode            string `json:"mode"`
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	SecurityToken   string `json:"sts_token"`
	RegionID        string `json:"region_id"`
	RoleArn         string `json:"ram_role_arn"`
	RoleSessionName string `json:"ram_session_name"`
	DurationSeconds int    `json:"expired_seconds"`
	StsRegion       string `json:"sts_region"`
	EnableVpc       bool   `json:"enable_vpc"`
	SourceProfile   string `json:"source_profile"`
	RoleName        string `json:"ram_role_name"`
	OIDCTokenFile   string `json:"oidc_token_file"`
	OIDCToken       string `json:"oidc_token"`
	OIDCProviderArn string `json:"oidc_provider_arn"`
	Policy          string `json:"policy"`
	ExternalID      string `json:"external_id"`
	CredentialsURI  string `json:"credentials_uri"`
	SsoSignInURL    string `json:"cloud_sso_sign_in_url"`
	SsoAccountID    string `json:"cloud_sso_account_id"`
	SsoAccessConfig string `json:"cloud_sso_access_config"`
	SsoAccessToken  string `json:"access_token"`
	SsoTokenExpire  int64  `json:"cloud_sso_access_token_expire"` // Unix time
	StsExpire       int64  `json:"sts_expiration"`                // Unix time
}

// readConfig reads the profiles. Where there is no file there are none.
func readConfig() (*config, error) {
	path := os.Getenv("ALIBABA_CLOUD_CONFIG_FILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return &config{}, nil
		}
		path = filepath.Join(home, ".aliyun", "config.json")
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &config{path: path}, nil
	}
	if err != nil {
		return nil, err
	}
	c := config{path: path}
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\uFEFF")), &c); err != nil {
		return nil, vpn.Problem{Source: path, Reason: malformed(text, err), Hint: "repair it, or write it anew: aliyun configure"}
	}
	return &c, nil
}

// malformed says where JSON breaks off, and nothing of what stands there.
func malformed(text []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var at int64
	what := "malformed JSON"
	if errors.As(err, &syntax) {
		at = syntax.Offset
	} else if errors.As(err, &kind) {
		at, what = kind.Offset, "another kind of value than the aliyun CLI writes there"
	}
	before := text[:min(int(at), len(text))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Sprintf("line %d, column %d: %s", line, max(column, 1), what)
}

// readProfile gives the profile of that name, else the one the environment
// names, else the current one, and nil if there is none at all.
func readProfile(name string) (*profile, error) {
	if name == "" && (on("ALIBABA_CLOUD_IGNORE_PROFILE") || on("ALIBABA_CLOUD_CLI_PROFILE_DISABLED")) {
		return nil, nil
	}
	c, err := readConfig()
	if err != nil {
		return nil, err
	}
	wanted := cmp.Or(name, getenv("PROFILE"))
	if wanted = cmp.Or(wanted, c.Current); wanted == "" {
		return nil, nil
	}
	if p := c.profile(wanted); p != nil {
		return p, nil
	}
	var names []string
	for _, p := range c.Profiles {
		names = append(names, p.Name)
	}
	return nil, vpn.Problem{Source: c.path, Field: "profile", Value: wanted, Reason: "there is none of that name", Hint: "give one of: " + strings.Join(names, ", ")}
}

func (c *config) profile(name string) *profile {
	for i := range c.Profiles {
		if c.Profiles[i].Name == name {
			return &c.Profiles[i]
		}
	}
	return nil
}

func on(variable string) bool { return strings.EqualFold(os.Getenv(variable), "true") }
