package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"

	"peerconf/fetch/apitest"
	"peerconf/vpn"
)

// configure writes ~/.aliyun/config.json.
func configure(t *testing.T, text string) {
	t.Helper()
	dir := filepath.Join(os.Getenv("HOME"), ".aliyun")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const profiles = `{"current": "work", "profiles": [
	{"name": "work", "mode": "AK", "access_key_id": "work-id", "access_key_secret": "s", "region_id": "eu-central-1", "language": "en"},
	{"name": "home", "mode": "StsToken", "access_key_id": "home-id", "access_key_secret": "s", "sts_token": "t", "region_id": "us-west-1"}]}`

func TestCredentialsOrder(t *testing.T) {
	for _, test := range []struct {
		name, profile string
		env           map[string]string
		id, region    string
	}{
		{"current profile", "", map[string]string{}, "work-id", "eu-central-1"},
		{"profile of the environment", "", map[string]string{"ALIBABA_CLOUD_PROFILE": "home"}, "home-id", "us-west-1"},
		{"its older name", "", map[string]string{"ALICLOUD_PROFILE": "home"}, "home-id", "us-west-1"},
		{"key of the environment before the profile", "", map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}, "env-id", "eu-central-1"},
		{"--profile before the environment", "home", map[string]string{"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}, "home-id", "us-west-1"},
		{"region of the environment before the profile's", "home", map[string]string{"ALIBABA_CLOUD_REGION_ID": "cn-shanghai"}, "home-id", "cn-shanghai"},
	} {
		t.Run(test.name, func(t *testing.T) {
			signOut(t)
			configure(t, profiles)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			s, err := newSigner(test.profile)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.GetCredentials()
			if err != nil || c.AccessKeyId != test.id {
				t.Errorf("signs as %v, %v; want %s", c, err, test.id)
			}
			if r, err := regions(Query{Profile: test.profile}); err != nil || r[0] != test.region {
				t.Errorf("region %v, %v; want %s", r, err, test.region)
			}
		})
	}
}

// signOut leaves no credentials in the environment.
func signOut(t *testing.T) {
	t.Helper()
	signIn(t)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
}

func TestProfileModes(t *testing.T) {
	soon, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	tested := map[string]bool{}
	key := `"access_key_id": "id", "access_key_secret": "` + apitest.Secret + `"`
	const cli = `aliyun vpc DescribeVpnConnections --profile p --RegionId cn-hangzhou | peerconf render --target TARGET -`
	for _, test := range []struct{ name, profile, provider, problem, hint string }{
		{"AK", `"mode": "AK", ` + key, "static_ak", "", ""},
		{"AK without secret", `"mode": "AK", "access_key_id": "id"`, "", "profile p: the access key secret is empty", "aliyun configure --profile p --mode AK"},
		{"StsToken", `"mode": "StsToken", "sts_token": "t", ` + key, "static_sts", "", ""},
		{"RamRoleArn", `"mode": "RamRoleArn", "ram_role_arn": "acs:ram::1:role/r", ` + key, "ram_role_arn", "", ""},
		{"RamRoleArn without role", `"mode": "RamRoleArn", ` + key, "", "profile p: the RoleArn is empty", "aliyun configure --profile p --mode RamRoleArn"},
		{"ChainableRamRoleArn", `"mode": "ChainableRamRoleArn", "source_profile": "other", "ram_role_arn": "acs:ram::1:role/r"`, "ram_role_arn", "", ""},
		{"ChainableRamRoleArn in a circle", `"mode": "ChainableRamRoleArn", "source_profile": "p", "ram_role_arn": "acs:ram::1:role/r"`, "",
			"profile p: source_profile is missing or leads in a circle", "aliyun configure --profile p --mode ChainableRamRoleArn"},
		{"EcsRamRole switched off", `"mode": "EcsRamRole", "ram_role_name": "r"`, "", "profile p: IMDS credentials is disabled", "aliyun configure --profile p --mode EcsRamRole"},
		{"OIDC", `"mode": "OIDC", "oidc_token_file": "/token", "oidc_provider_arn": "a", "ram_role_arn": "acs:ram::1:role/r"`, "oidc_role_arn", "", ""},
		{"CloudSSO", fmt.Sprintf(`"mode": "CloudSSO", "cloud_sso_sign_in_url": "https://sso.example/", "cloud_sso_account_id": "1",
			"cloud_sso_access_config": "c", "access_token": "t", "cloud_sso_access_token_expire": %d`, soon), "cloud_sso", "", ""},
		{"CloudSSO expired", fmt.Sprintf(`"mode": "CloudSSO", "cloud_sso_sign_in_url": "https://sso.example/", "cloud_sso_account_id": "1",
			"cloud_sso_access_config": "c", "access_token": "t", "cloud_sso_access_token_expire": %d`, past), "",
			"profile p: CloudSSO access token is empty or expired, please re-login with cli", "aliyun configure --profile p --mode CloudSSO"},
		{"CloudSSO in plain text", `"mode": "CloudSSO", "cloud_sso_sign_in_url": "http://sso.example/"`, "",
			"profile p: cloud_sso_sign_in_url is no https URL", "aliyun configure --profile p --mode CloudSSO"},
		{"OAuth", fmt.Sprintf(`"mode": "OAuth", "sts_token": "t", "sts_expiration": %d, %s`, soon, key), "static_sts", "", ""},
		{"OAuth expired", fmt.Sprintf(`"mode": "OAuth", "sts_token": "t", "sts_expiration": %d, %s`, past, key), "",
			"profile p: the session has expired", "aliyun configure --profile p --mode OAuth"},
		{"CredentialsURI", `"mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1/"`, "credential_uri", "", ""},
		{"External", `"mode": "External", "process_command": "get-key"`, "", `profile "p": peerconf cannot sign in by mode "External"`, "let the aliyun CLI fetch: " + cli},
		{"RsaKeyPair", `"mode": "RsaKeyPair"`, "", `profile "p": peerconf cannot sign in by mode "RsaKeyPair"`, "let the aliyun CLI fetch: " + cli},
	} {
		mode, _, _ := strings.Cut(test.name, " ")
		tested[mode] = true
		t.Run(test.name, func(t *testing.T) {
			signOut(t)
			configure(t, `{"profiles": [{"name": "p", `+test.profile+`}, {"name": "other", "mode": "AK", `+key+`}]}`)
			from, err := fromProfile("p")
			if test.problem != "" {
				p, _ := err.(vpn.Problem)
				pin(t, p, test.problem, test.hint)
				return
			}
			if err != nil || from.GetProviderName() != test.provider {
				t.Errorf("got %v, %v; want %s", from, err, test.provider)
			}
		})
	}
	for mode := range profileModes {
		if !tested[mode] {
			t.Errorf("no test for mode %s", mode)
		}
	}
}

func TestCredentialProblems(t *testing.T) {
	const secret = apitest.Secret
	const repair = "repair it, or write it anew: aliyun configure"
	const setKey = "aliyun configure, or set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	for _, test := range []struct{ name, config, profile, env, problem, hint string }{
		{"none", "", "", "", "no credentials", setKey},
		{"half a key", "", "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "of ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET only one is set", "set both, or none"},
		{"no such profile", profiles, "play", "", `CONFIG: profile "play": there is none of that name`, "give one of: work, home"},
		{"malformed", "{\"profiles\": [\n {\"access_key_secret\": \"" + secret + "\",}]}", "", "", "CONFIG: line 2, column 56: malformed JSON", repair},
		{"cut off", `{"profiles": [{"access_key_secret": "` + secret, "", "", "CONFIG: line 1, column 66: malformed JSON", repair},
		{"another kind of value", "{\"profiles\": [{\"name\": \"p\",\n\"expired_seconds\": \"" + secret + "\"}]}", "", "",
			"CONFIG: line 2, column 50: another kind of value than the aliyun CLI writes there", repair},
		{"URI out of reach", "", "", "ALIBABA_CLOUD_CREDENTIALS_URI", "credentials could not be had through credential_uri", "check with: aliyun sts GetCallerIdentity"},
		{"half an OIDC token", "", "", "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_OIDC_TOKEN_FILE: the OIDCProviderARN is empty", "set ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_ROLE_ARN beside it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			signOut(t)
			if test.config != "" {
				configure(t, test.config)
			}
			if test.env != "" {
				t.Setenv(test.env, "http://127.0.0.1:1/"+secret)
			}
			_, err := newSigner(test.profile)
			p, _ := err.(vpn.Problem)
			p.Source = strings.ReplaceAll(p.Source, filepath.Join(os.Getenv("HOME"), ".aliyun", "config.json"), "CONFIG")
			pin(t, p, test.problem, test.hint)
		})
	}
}

// TestRefusedByAProvider has a provider quote what it was sent.
func TestRefusedByAProvider(t *testing.T) {
	err := fmt.Errorf(`refresh session token failed: {"RequestId":"1","Message":"%s %s","Code":"NoPermission"}`, apitest.Secret, apitest.Token)
	why := refused("ram_role_arn", err)
	if why.reason != "credentials could not be had through ram_role_arn: NoPermission" {
		t.Errorf("got %s", why.reason)
	}
	noSecret(t, why.reason)
}

func TestDebugIsRefused(t *testing.T) {
	signIn(t)
	t.Setenv("DEBUG", "tea,sdk")
	err := refuseDebug()
	if err == nil || err.Error() != `DEBUG "sdk": it makes Alibaba's SDK print signatures and keys` {
		t.Errorf("got %v", err)
	}
}

func TestIgnoredProfile(t *testing.T) {
	signOut(t)
	configure(t, "not even JSON")
	t.Setenv("ALIBABA_CLOUD_IGNORE_PROFILE", "TRUE")
	if _, err := newSigner(""); err == nil || err.Error() != "no credentials" {
		t.Errorf("got %v", err)
	}
	if _, err := regions(Query{}); err == nil || err.Error() != "--region: which region?" {
		t.Errorf("got %v", err)
	}
}

// fading gives a key for a number of times, then fails with it in the text.
type fading struct{ left int }

func (p *fading) GetCredentials() (*providers.Credentials, error) {
	if p.left--; p.left < 0 {
		return nil, errors.New("refused " + apitest.Secret)
	}
	return &providers.Credentials{AccessKeyId: apitest.KeyID, AccessKeySecret: apitest.Secret}, nil
}
func (p *fading) GetProviderName() string { return "fading" }

func TestCredentialsThatEnd(t *testing.T) {
	_, q := start(t, 20)
	s, err := newSession(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	s.signer.from = &fading{left: 5}
	_, _, err = s.fetch(context.Background(), q)
	if err == nil || err.Error() != "cn-hangzhou: DownloadVpnConnectionConfig: credentials could not be had through fading" {
		t.Errorf("got %v", err)
	}
	metadata := &signer{from: &fading{}, metadata: true}
	_, err = metadata.GetCredentials()
	if err == nil || err.Error() != "no credentials: none are set, and this is no ECS instance with a RAM role" {
		t.Errorf("got %v", err)
	}
}
