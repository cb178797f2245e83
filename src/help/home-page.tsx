import { ButtonRow, LinkButton } from "../pages/components/button.tsx";
import { Copyable } from "../pages/components/copyable.tsx";
import { homeTexts as texts } from "../pages/texts/home.ts";
import { type HelpFacts, type HelpTool, splitExample } from "./help-facts.ts";

/** What the home page shows below its heading: the address first, then what, how, with whom, how safe. */
export function HomePage({ facts }: { readonly facts: HelpFacts }) {
  return (
    <div class="home">
      <section class="card in-short" aria-labelledby="in-short">
        <h2 id="in-short">{texts.inShort.title}</h2>
        <p>{texts.inShort.text}</p>
        <Copyable id="mcp-address" label={texts.inShort.address} text={`${facts.publicUrl}/mcp`} />
      </section>
      <Cards id="get" title={texts.get.title} cards={texts.get.cards} />
      <section aria-labelledby="how">
        <h2 id="how">{texts.how.title}</h2>
        <ol class="steps">
          {texts.how.steps.map((step) => (
            <li>{step}</li>
          ))}
        </ol>
      </section>
      <section aria-labelledby="hosts">
        <h2 id="hosts">{texts.hosts.title}</h2>
        <p class="lead">{texts.hosts.lead}</p>
        <ul class="card-grid">
          {texts.hosts.cards.map(({ href, title, text }) => (
            <li class="card">
              <h3>
                <a href={href}>{title}</a>
              </h3>
              <p>{text}</p>
            </li>
          ))}
        </ul>
      </section>
      <ToolList tools={facts.tools} />
      <Cards id="security" title={texts.security.title} cards={texts.security.points} />
      <section class="card" aria-labelledby="self-host">
        <h2 id="self-host">{texts.selfHost.title}</h2>
        <p>{texts.selfHost.text}</p>
        <p>
          <a href="/help/self-hosting">{texts.selfHost.link}</a>
        </p>
      </section>
      <Questions />
      <section class="card closing" aria-labelledby="closing">
        <h2 id="closing">{texts.closing.title}</h2>
        <p>{texts.closing.text}</p>
        <HomeActions />
      </section>
    </div>
  );
}

/** The two ways on from the home page. */
export function HomeActions() {
  return (
    <ButtonRow>
      <LinkButton kind="primary" href="/console">
        {texts.begin}
      </LinkButton>
      <LinkButton href="/help">{texts.help}</LinkButton>
    </ButtonRow>
  );
}

interface TextCards {
  readonly id: string;
  readonly title: string;
  readonly cards: readonly { readonly title: string; readonly text: string }[];
}

function Cards({ id, title, cards }: TextCards) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul class="card-grid">
        {cards.map((card) => (
          <li class="card">
            <h3>{card.title}</h3>
            <p>{card.text}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ToolList({ tools }: { readonly tools: readonly HelpTool[] }) {
  return (
    <section aria-labelledby="tools">
      <h2 id="tools">{texts.tools.title}</h2>
      <p class="lead">{texts.tools.lead}</p>
      <dl class="tool-list">
        {tools.map(({ name, description, scope }) => (
          <div>
            <dt>
              <a href={`/help/tools#${name}`}>
                <code>{name}</code>
              </a>
              {scope === "write" && <span class="badge">{texts.tools.writes}</span>}
            </dt>
            <dd>{splitExample(description).text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Questions() {
  return (
    <section aria-labelledby="faq">
      <h2 id="faq">{texts.faq.title}</h2>
      {texts.faq.items.map(({ question, answer }) => (
        <details class="card">
          <summary>{question}</summary>
          <p>{answer}</p>
        </details>
      ))}
    </section>
  );
}
