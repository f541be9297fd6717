package render

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"text/template"
	"text/template/parse"
)

// program is a template compiled against the type of its view. The templates
// only print, so what text/template decides at each execution (which field a
// name means, what its type is) can be settled once: a template that names a
// field the view lacks does not compile, and printing costs a few microseconds
// where text/template takes fifty, which is most of the way from a reply to its text.
// A test holds both to the same bytes.
type program []step

// step prints a part of a template. vars[0] is $.
type step func(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value)

// maxVars bounds the variables of a template; the last slot is for the elements
// of a range without a name.
const maxVars = 8

func (p program) run(w *bytes.Buffer, view reflect.Value) {
	vars := make([]reflect.Value, maxVars)
	vars[0] = view
	p.step(w, view, vars)
}

func (p program) step(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value) {
	for _, s := range p {
		s(w, dot, vars)
	}
}

// variable is where a variable is kept and what it holds.
type variable struct {
	slot int
	of   reflect.Type
}

// scope is what a name can mean at a place in a template.
type scope struct {
	dot    reflect.Type
	vars   map[string]variable
	within *template.Template
}

// compileFor compiles a template for views of type t. It panics where the
// template and the type do not fit; every template is compiled in a test.
func compileFor(tmpl *template.Template, t reflect.Type) program {
	s := scope{t, map[string]variable{"$": {0, t}}, tmpl}
	return s.list(tmpl.Root)
}

func (s scope) list(list *parse.ListNode) program {
	if list == nil {
		return nil
	}
	s.vars = maps.Clone(s.vars)
	var out program
	for _, n := range list.Nodes {
		out = append(out, s.node(n))
	}
	return out
}

func (s scope) node(n parse.Node) step {
	switch n := n.(type) {
	case *parse.TextNode:
		return func(w *bytes.Buffer, _ reflect.Value, _ []reflect.Value) { w.Write(n.Text) }
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 1 {
			return s.declare(n.Pipe)
		}
		return s.print(n.Pipe)
	case *parse.IfNode:
		holds, _ := s.pipe(n.Pipe)
		then, otherwise := s.list(n.List), s.list(n.ElseList)
		return func(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value) {
			if holds(dot, vars).Bool() {
				then.step(w, dot, vars)
			} else {
				otherwise.step(w, dot, vars)
			}
		}
	case *parse.RangeNode:
		return s.loop(n)
	case *parse.TemplateNode:
		view, t := s.pipe(n.Pipe)
		nested := compileFor(s.within.Lookup(n.Name), t)
		return func(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value) { nested.run(w, view(dot, vars)) }
	}
	panic(fmt.Sprintf("%s: a template only prints, and this is %T", n, n))
}

func (s scope) declare(p *parse.PipeNode) step {
	value, t := s.pipe(p)
	slot := s.add(p.Decl[0].Ident[0], t)
	return func(_ *bytes.Buffer, dot reflect.Value, vars []reflect.Value) { vars[slot] = value(dot, vars) }
}

func (s scope) add(name string, t reflect.Type) int {
	slot := len(s.vars)
	if slot == maxVars {
		panic(name + ": too many variables")
	}
	s.vars[name] = variable{slot, t}
	return slot
}

func (s scope) loop(n *parse.RangeNode) step {
	items, t := s.pipe(n.Pipe)
	inner := scope{t.Elem(), maps.Clone(s.vars), s.within}
	slot := maxVars - 1
	if len(n.Pipe.Decl) == 1 {
		slot = inner.add(n.Pipe.Decl[0].Ident[0], t.Elem())
	}
	body := inner.list(n.List)
	return func(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value) {
		all := items(dot, vars)
		for i := range all.Len() {
			vars[slot] = all.Index(i)
			body.step(w, vars[slot], vars)
		}
	}
}

// value evaluates an expression.
type value func(dot reflect.Value, vars []reflect.Value) reflect.Value

// pipe compiles a field, or a list that is joined.
func (s scope) pipe(p *parse.PipeNode) (value, reflect.Type) {
	v, t := s.operand(p.Cmds[0].Args[0])
	for _, call := range p.Cmds[1:] {
		f := functionMap[call.Args[0].(*parse.IdentifierNode).Ident].(func(string, any) string)
		of, with := v, call.Args[1].(*parse.StringNode).Text
		v = func(dot reflect.Value, vars []reflect.Value) reflect.Value {
			return reflect.ValueOf(f(with, of(dot, vars).Interface()))
		}
		t = reflect.TypeFor[string]()
	}
	return v, t
}

func (s scope) operand(n parse.Node) (value, reflect.Type) {
	switch n := n.(type) {
	case *parse.DotNode:
		return func(dot reflect.Value, _ []reflect.Value) reflect.Value { return dot }, s.dot
	case *parse.FieldNode:
		return chain(func(dot reflect.Value, _ []reflect.Value) reflect.Value { return dot }, s.dot, n.Ident)
	case *parse.VariableNode:
		v, ok := s.vars[n.Ident[0]]
		if !ok {
			panic(n.Ident[0] + ": no such variable")
		}
		return chain(func(_ reflect.Value, vars []reflect.Value) reflect.Value { return vars[v.slot] }, v.of, n.Ident[1:])
	}
	panic(fmt.Sprintf("%s: want a field or a variable", n))
}

// chain follows names from a value: fields, and keys of the answers.
func chain(from value, t reflect.Type, names []string) (value, reflect.Type) {
	for _, name := range names {
		outer := from
		if t.Kind() == reflect.Map {
			key := reflect.ValueOf(name)
			from = func(dot reflect.Value, vars []reflect.Value) reflect.Value { return outer(dot, vars).MapIndex(key) }
			t = t.Elem()
			continue
		}
		f, ok := t.FieldByName(name)
		if !ok || len(f.Index) != 1 {
			panic(fmt.Sprintf("%s has no field %s", t, name))
		}
		i := f.Index[0]
		from = func(dot reflect.Value, vars []reflect.Value) reflect.Value { return outer(dot, vars).Field(i) }
		t = f.Type
	}
	return from, t
}

func (s scope) print(p *parse.PipeNode) step {
	v, t := s.pipe(p)
	switch t.Kind() {
	case reflect.String:
		return func(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value) { w.WriteString(v(dot, vars).String()) }
	case reflect.Int:
		return func(w *bytes.Buffer, dot reflect.Value, vars []reflect.Value) {
			w.Write(strconv.AppendInt(w.AvailableBuffer(), v(dot, vars).Int(), 10))
		}
	}
	panic(fmt.Sprintf("%s: a %s does not print", p, t))
}
